using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>One end of a socket pair between two of our processes; it can carry descriptors.</summary>
public sealed class ControlSocket : IDisposable
{
    private const nint AF_UNIX = 1;
    private const nint SOCK_STREAM_CLOEXEC = 0x80001;
    private const int SOL_SOCKET = 1;
    private const int SCM_RIGHTS = 1;
    private const int LongestPath = 107;
    private const nint MSG_NOSIGNAL = 0x4000;
    private const nint MSG_CMSG_CLOEXEC = 0x40000000;

    /// <summary>How many descriptors a message may carry.</summary>
    public const int MostDescriptors = 64;

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

    /// <summary>Connects to a socket of another program.</summary>
    /// <param name="path">The socket's path.</param>
    /// <exception cref="ErrnoException">Nobody listens there.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "it belongs to the result")]
    public static unsafe ControlSocket Connect(string path)
    {
        SafeFileHandle handle = Interop.Kernel.Opened(
            Interop.Kernel.Call(Interop.Kernel.SYS_socket, AF_UNIX, SOCK_STREAM_CLOEXEC), "socket");
        try
        {
            // the address has room for 107 bytes; a descriptor of the directory makes any path short enough
            string full = Path.GetFullPath(path);
            using SafeFileHandle directory = DetachedMount.Open(Path.GetDirectoryName(full) ?? "/");
            byte[] name = Encoding.UTF8.GetBytes($"{DetachedMount.PathOf(directory)}/{Path.GetFileName(full)}");
            if (name.Length > LongestPath)
            {
                throw new ErrnoException("connect", path, Errno.ENAMETOOLONG);
            }

            Span<byte> address = stackalloc byte[2 + LongestPath + 1];
            address.Clear();
            address[0] = (byte)AF_UNIX;
            name.CopyTo(address[2..]);
            fixed (byte* pointer = address)
            {
                Interop.Kernel.Checked(
                    Interop.Kernel.Call(
                        Interop.Kernel.SYS_connect, Interop.Kernel.Descriptor(handle), (nint)pointer, address.Length),
                    "connect", path);
            }

            return new ControlSocket(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Sends bytes, and descriptors with the first of them.</summary>
    /// <param name="bytes">At least one, where there is a descriptor.</param>
    /// <param name="descriptors">At most <see cref="MostDescriptors"/>.</param>
    /// <exception cref="ErrnoException">The other end is gone.</exception>
    public unsafe void Send(ReadOnlySpan<byte> bytes, params ReadOnlySpan<SafeFileHandle> descriptors)
    {
        ControlMessage control = new(descriptors);
        nint controlLength = descriptors.IsEmpty ? 0 : ControlMessage.LengthOf(descriptors.Length);
        while (bytes.Length > 0)
        {
            fixed (byte* pointer = bytes)
            {
                Vector vector = new((nint)pointer, bytes.Length);
                MessageHeader header = new((nint)(&vector), controlLength == 0 ? 0 : (nint)(&control), controlLength);
                nint sent = Interop.Kernel.Checked(
                    Interop.Kernel.Call(
                        Interop.Kernel.SYS_sendmsg, Interop.Kernel.Descriptor(Handle), (nint)(&header), MSG_NOSIGNAL),
                    "sendmsg");
                bytes = bytes[(int)sent..];
                controlLength = 0;
            }
        }
    }

    /// <summary>Receives what is there, and the descriptors that came with it.</summary>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="descriptors">Where the descriptors go.</param>
    /// <returns>The number of bytes; 0 when the other end is closed.</returns>
    /// <exception cref="ErrnoException">The socket is broken.</exception>
    public unsafe int Receive(Span<byte> buffer, ICollection<SafeFileHandle> descriptors)
    {
        fixed (byte* pointer = buffer)
        {
            Vector vector = new((nint)pointer, buffer.Length);
            ControlMessage control = default;
            MessageHeader header = new((nint)(&vector), (nint)(&control), sizeof(ControlMessage));
            nint received = Interop.Kernel.Checked(
                Interop.Kernel.Call(
                    Interop.Kernel.SYS_recvmsg, Interop.Kernel.Descriptor(Handle), (nint)(&header), MSG_CMSG_CLOEXEC),
                "recvmsg");
            int count = header.ControlLength > 0 ? control.Count : 0;
            for (int i = 0; i < count; i++)
            {
#pragma warning disable CA2000 // the list's owner closes it
                descriptors.Add(new SafeFileHandle(control[i], ownsHandle: true));
#pragma warning restore CA2000
            }

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
    private readonly struct MessageHeader(nint vector, nint control, nint controlLength)
    {
        private readonly nint _name;
        private readonly nint _nameLength;
        private readonly nint _vectors = vector;
        private readonly nint _vectorCount = 1;
        private readonly nint _control = control;
        internal readonly nint ControlLength = controlLength;
        private readonly nint _flags;
    }

    /// <summary>struct cmsghdr with room for descriptors.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct ControlMessage
    {
        private const int HeaderSize = 16;

        private readonly nint _length;
        private readonly int _level;
        private readonly int _type;
        private fixed int _descriptors[MostDescriptors];

        internal ControlMessage(ReadOnlySpan<SafeFileHandle> descriptors)
        {
            (_length, _level, _type) = (LengthOf(descriptors.Length), SOL_SOCKET, SCM_RIGHTS);
            for (int i = 0; i < descriptors.Length; i++)
            {
                _descriptors[i] = (int)descriptors[i].DangerousGetHandle();
            }
        }

        internal readonly int Count =>
            _level == SOL_SOCKET && _type == SCM_RIGHTS ? (int)(_length - HeaderSize) / sizeof(int) : 0;

        internal readonly int this[int index] => _descriptors[index];

        internal static nint LengthOf(int count) => HeaderSize + (count * sizeof(int));
    }
}
