using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

public sealed partial class DirectoryDescriptor
{
    // each level holds two descriptors and a buffer; what is deeper than this is no directory that somebody mounts over
    private const int MaxCopyDepth = 64;

    /// <summary>The directory behind a descriptor; the caller keeps owning the descriptor.</summary>
    /// <param name="directory">A directory, for example a detached mount.</param>
    public static DirectoryDescriptor Of(SafeFileHandle directory) =>
        new(new SafeFileHandle(directory.DangerousGetHandle(), ownsHandle: false));

    /// <summary>Copies what is in this directory: files, directories and links with owner and mode; devices are left out.</summary>
    /// <param name="target">An empty directory, for example a new tmpfs.</param>
    /// <returns>Why it ended early, <see cref="Errno.ELOOP"/> for a tree of more than 64 levels.</returns>
    public Errno CopyTo(DirectoryDescriptor target) => CopyTo(target, depth: 0);

    private Errno CopyTo(DirectoryDescriptor target, int depth)
    {
        if (depth == MaxCopyDepth)
        {
            return Errno.ELOOP;
        }

        Errno errno = OpenReadable(".\0"u8, out DirectoryDescriptor? readable);
        using (readable)
        {
            byte[] buffer = new byte[16 * 1024];
            while (errno == Errno.None)
            {
                nint count = Interop.Libc.GetDents64(readable!._handle, buffer);
                if (count <= 0)
                {
                    return count == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
                }

                for (int offset = 0; offset < count && errno == Errno.None;)
                {
                    ReadOnlySpan<byte> entry = buffer.AsSpan(offset);
                    offset += BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                    ReadOnlySpan<byte> name = entry[EntryNameOffset..];
                    name = name[..(name.IndexOf((byte)0) + 1)];
                    if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                    {
                        errno = CopyOne(name, target, depth);
                    }
                }
            }
        }

        return errno;
    }

    private Errno CopyOne(ReadOnlySpan<byte> name, DirectoryDescriptor target, int depth)
    {
        Errno errno = Look(name, out FileStatus status);
        if (errno == Errno.None && status.IsDirectory)
        {
            errno = CopyDirectory(name, target, depth);
        }
        else if (errno == Errno.None && status.IsRegularFile)
        {
            errno = CopyFile(name, target);
        }
        else if (errno == Errno.None && status.IsSymbolicLink)
        {
            errno = CopyLink(name, target);
        }
        else
        {
            return errno;
        }

        errno = errno == Errno.None ? target.SetOwner(name, status.Owner, status.Group) : errno;
        return errno == Errno.None && !status.IsSymbolicLink ? target.SetMode(name, status.Mode) : errno;
    }

    private Errno CopyDirectory(ReadOnlySpan<byte> name, DirectoryDescriptor target, int depth)
    {
        Errno errno = target.MakeDirectory(name, 0x1C0); // 0700 until it is filled
        if (errno != Errno.None)
        {
            return errno;
        }

        errno = Open(name, LinkRule.Refuse, out DirectoryDescriptor? from);
        using (from)
        {
            if (errno != Errno.None)
            {
                return errno;
            }

            errno = target.Open(name, LinkRule.Refuse, out DirectoryDescriptor? to);
            using (to)
            {
                return errno == Errno.None ? from!.CopyTo(to!, depth + 1) : errno;
            }
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "An opened file is a descriptor that is open only where the result is no error.")]
    private Errno CopyFile(ReadOnlySpan<byte> name, DirectoryDescriptor target)
    {
        Errno errno = OpenRegularFile(name, out OpenedFile source);
        if (errno != Errno.None)
        {
            return errno;
        }

        using (source)
        {
            errno = target.CreateFile(name, out OpenedFile copy);
            return errno == Errno.None ? CopyContent(source, copy) : errno;
        }
    }

    private static Errno CopyContent(OpenedFile source, OpenedFile copy)
    {
        using (copy)
        {
            byte[] buffer = new byte[64 * 1024];
            while (true)
            {
                Errno errno = source.Read(buffer, out int count);
                errno = errno == Errno.None ? copy.Write(buffer.AsSpan(0, count)) : errno;
                if (count == 0 || errno != Errno.None)
                {
                    return errno;
                }
            }
        }
    }

    private Errno CopyLink(ReadOnlySpan<byte> name, DirectoryDescriptor target)
    {
        Span<byte> text = stackalloc byte[4096];
        Errno errno = ReadLink(name, text[..^1], out int length);
        text[length] = 0;
        return errno == Errno.None ? target.MakeSymbolicLink(text[..(length + 1)], name) : errno;
    }
}
