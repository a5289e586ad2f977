using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A file or directory that is open on this thread's stack only: no handle is allocated for it.</summary>
/// <remarks>
/// Layers consist of many small files, and what is done to each is known: create, fill, describe, close. Every call
/// acts on the descriptor, so nothing that happens to the name meanwhile can lead it elsewhere.
/// </remarks>
public readonly ref struct OpenedFile
{
    private readonly int _descriptor;

    internal OpenedFile(int descriptor) => _descriptor = descriptor;

    /// <summary>Appends bytes at the file's position.</summary>
    /// <param name="bytes">What to write; all of it is written, or an error is returned.</param>
    public Errno Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint written = Interop.Libc.Write(_descriptor, bytes, bytes.Length);
            if (written < 0 && !Interop.Libc.Interrupted(written))
            {
                return (Errno)Marshal.GetLastPInvokeError();
            }

            bytes = bytes[(int)Math.Max(written, 0)..];
        }

        return Errno.None;
    }

    /// <summary>Reads from the file's position.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="count">How many bytes were read; 0 at the end.</param>
    public Errno Read(Span<byte> buffer, out int count)
    {
        using SafeFileHandle file = new(_descriptor, ownsHandle: false);
        int result = Descriptors.TryRead(file, buffer);
        count = Math.Max(result, 0);
        return (Errno)Math.Max(-result, 0);
    }

    /// <summary>Writes bytes at an offset; what was skipped stays a hole.</summary>
    /// <param name="bytes">What to write; all of it is written, or an error is returned.</param>
    /// <param name="offset">Where the first byte goes.</param>
    public Errno WriteAt(ReadOnlySpan<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            nint written = Interop.Libc.PWrite(_descriptor, bytes, bytes.Length, offset);
            if (written < 0 && !Interop.Libc.Interrupted(written))
            {
                return (Errno)Marshal.GetLastPInvokeError();
            }

            int count = (int)Math.Max(written, 0);
            bytes = bytes[count..];
            offset += count;
        }

        return Errno.None;
    }

    /// <summary>Sets the file's size; what is new reads as zeros and takes no space.</summary>
    /// <param name="length">The size in bytes.</param>
    public Errno SetLength(long length) => Result(Interop.Libc.FTruncate(_descriptor, length));

    /// <summary>Sets owner and group; clears set-id bits and file capabilities.</summary>
    /// <param name="owner">A user id.</param>
    /// <param name="group">A group id.</param>
    public Errno SetOwner(uint owner, uint group) => Result(Interop.Libc.FChown(_descriptor, owner, group));

    /// <summary>Sets the permission, set-id and sticky bits.</summary>
    /// <param name="mode">Twelve bits.</param>
    public Errno SetMode(uint mode) => Result(Interop.Libc.FChmod(_descriptor, mode));

    /// <summary>Sets an extended attribute.</summary>
    /// <param name="name">Its name, ending with NUL.</param>
    /// <param name="value">Its value.</param>
    public Errno SetXattr(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Result(Interop.Libc.FSetXattr(_descriptor, DirectoryDescriptor.Terminated(name), value, (nuint)value.Length, 0));

    /// <summary>Sets the times of access and modification to one time.</summary>
    /// <param name="time">The time; the file system rounds it to what it can keep.</param>
    public Errno SetTimes(FileTime time) =>
        Result(Interop.Libc.FUtimens(_descriptor, [time.Specification, time.Specification]));

    /// <summary>Closes the file, if the call that made this opened one.</summary>
    public void Dispose()
    {
        if (_descriptor >= 0)
        {
            _ = Interop.Libc.Close(_descriptor);
        }
    }

    private static Errno Result(int result) =>
        result == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
}
