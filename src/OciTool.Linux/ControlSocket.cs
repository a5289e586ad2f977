using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>One end of a socket pair between two of our processes; it can carry a descriptor.</summary>
public sealed class ControlSocket : IDisposable
{
    private const nint AF_UNIX = 1;
    private const nint SOCK_STREAM_CLOEXEC = 0x80001;
    private const int SOL_SOCKET = 1;
    private const int SCM_RIGHTS = 1;
    private const nint MSG_NOSIGNAL = 0x4000;
    private const nint MSG_CMSG_CLOEXEC = 0x40000000;

    /// <summary>Takes a descriptor as an end.</summary>
    public ControlSocket(SafeFileHandle handle) => Handle = handle;

    /// <summary>The descriptor; it belongs to this object.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Makes both ends.</summary>
    /// <exception cref="ErrnoException">There are too many open files.</exception>
    public static unsafe void Pair(out ControlSocket here, out ControlSocket there)
    {
        int* ends = stackalloc int[2];
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_socketpair, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, (nint)ends), "socketpair");
        here = new(new SafeFileHandle(ends[0], ownsHandle: true));
        there = new(new SafeFileHandle(ends[1], ownsHandle: true));
    }

    /// <summary>Sends bytes, and a descriptor with the first of them.</summary>
    /// <exception cref="ErrnoException">The other end is gone.</exception>
    public unsafe void Send(ReadOnlySpan<byte> bytes, SafeFileHandle? descriptor = null)
    {
        ControlMessage control = new(descriptor);
        while (bytes.Length > 0)
        {
            fixed (byte* pointer = bytes)
            {
                Vector vector = new((nint)pointer, bytes.Length);
                MessageHeader header = new((nint)(&vector), descriptor is null ? 0 : (nint)(&control));
                nint sent = Interop.Kernel.Checked(
                    Interop.Kernel.Call(
                        Interop.Kernel.SYS_sendmsg, Interop.Kernel.Descriptor(Handle), (nint)(&header), MSG_NOSIGNAL),
                    "sendmsg");
                bytes = bytes[(int)sent..];
                descriptor = null;
            }
        }
    }

    /// <summary>Receives what is there, and the descriptor that came with it.</summary>
    /// <returns>The number of bytes; 0 when the other end is closed.</returns>
    /// <exception cref="ErrnoException">The socket is broken.</exception>
    public unsafe int Receive(Span<byte> buffer, out SafeFileHandle? descriptor)
    {
        fixed (byte* pointer = buffer)
        {
            Vector vector = new((nint)pointer, buffer.Length);
            ControlMessage control = default;
            MessageHeader header = new((nint)(&vector), (nint)(&control));
            nint received = Interop.Kernel.Checked(
                Interop.Kernel.Call(
                    Interop.Kernel.SYS_recvmsg, Interop.Kernel.Descriptor(Handle), (nint)(&header), MSG_CMSG_CLOEXEC),
                "recvmsg");
            descriptor = header.ControlLength >= (nuint)ControlMessage.Length && control.IsRights
                ? new SafeFileHandle(control.Descriptor, ownsHandle: true)
                : null;
            return (int)received;
        }
    }

    /// <summary>Fills a buffer.</summary>
    /// <returns>False when the other end was closed before.</returns>
    /// <exception cref="ErrnoException">The socket is broken.</exception>
    public bool TryReceiveExactly(Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int received = Descriptors.TryRead(Handle, buffer);
            if (received <= 0)
            {
                return received == 0 ? false : throw new ErrnoException("read", "control socket", (Errno)(-received));
            }

            buffer = buffer[received..];
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Vector(nint start, nint length)
    {
        private readonly nint _start = start;
        private readonly nint _length = length;
    }

    /// <summary>struct msghdr, 56 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MessageHeader(nint vector, nint control)
    {
        private readonly nint _name;
        private readonly nint _nameLength;
        private readonly nint _vectors = vector;
        private readonly nint _vectorCount = 1;
        private readonly nint _control = control;
        internal readonly nuint ControlLength = control == 0 ? 0u : ControlMessage.Size;
        private readonly nint _flags;
    }

    /// <summary>struct cmsghdr with one descriptor, 24 bytes with its padding.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ControlMessage(SafeFileHandle? descriptor)
    {
        internal const uint Size = 24;
        internal const uint Length = 20;

        private readonly nint _length = (nint)Length;
        private readonly int _level = SOL_SOCKET;
        private readonly int _type = SCM_RIGHTS;
        internal readonly int Descriptor = descriptor is null ? -1 : (int)descriptor.DangerousGetHandle();
        private readonly int _padding;

        internal bool IsRights => _level == SOL_SOCKET && _type == SCM_RIGHTS && _length >= (nint)Length;
    }
}
