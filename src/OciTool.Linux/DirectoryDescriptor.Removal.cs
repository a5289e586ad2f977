using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace OciTool.Linux;

public sealed partial class DirectoryDescriptor
{
    private const int EntryNameOffset = 19; // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name

    /// <summary>Removes what a name stands for, with all that is below it; a link is removed, not followed.</summary>
    /// <remarks>
    /// A tree is flattened while it is removed, by moving directories that are not empty up to its top: so its depth
    /// costs neither stack nor descriptors.
    /// </remarks>
    /// <param name="name">A name in this directory.</param>
    /// <returns><see cref="Errno.None"/> also when nothing is there.</returns>
    public Errno RemoveTree(ReadOnlySpan<byte> name)
    {
        Errno errno = RemoveOne(name);
        int moved = 0;
        while (errno == Errno.ENOTEMPTY)
        {
            errno = OpenReadable(name, out DirectoryDescriptor? top);
            using (top)
            {
                errno = errno == Errno.None ? top!.RemoveEntries(top, ref moved) : errno;
            }

            errno = errno == Errno.None ? RemoveOne(name) : errno;
        }

        return errno;
    }

    private Errno OpenReadable(ReadOnlySpan<byte> name, out DirectoryDescriptor? directory)
    {
        _ = SetMode(name, 0x1c0); // 0700: without root, a directory's own mode may forbid to empty it
        Errno errno = Open(name, LinkRule.Refuse, Interop.Libc.O_RDONLY, out int descriptor);
        directory = errno == Errno.None ? new(new(descriptor, ownsHandle: true)) : null;
        return errno;
    }

    private Errno RemoveOne(ReadOnlySpan<byte> name)
    {
        Errno errno = Result(Interop.Libc.UnlinkAt(_handle, Terminated(name), flags: 0));
        if (errno is Errno.EISDIR or Errno.EPERM)
        {
            errno = Result(Interop.Libc.UnlinkAt(_handle, Terminated(name), Interop.Libc.AT_REMOVEDIR));
        }

        return errno is Errno.ENOENT ? Errno.None : errno is Errno.EEXIST ? Errno.ENOTEMPTY : errno;
    }

    /// <summary>Removes the entries of this directory; subdirectories that are not empty move up to the top.</summary>
    private Errno RemoveEntries(DirectoryDescriptor top, ref int moved)
    {
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            nint count = Interop.Libc.GetDents64(_handle, buffer);
            if (count <= 0)
            {
                return count == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
            }

            for (int offset = 0; offset < count;)
            {
                ReadOnlySpan<byte> entry = buffer.AsSpan(offset);
                offset += BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                ReadOnlySpan<byte> name = entry[EntryNameOffset..];
                name = name[..(name.IndexOf((byte)0) + 1)];
                Errno errno = name.SequenceEqual(".\0"u8) || name.SequenceEqual("..\0"u8)
                    ? Errno.None
                    : RemoveOrLift(name, top, ref moved);
                if (errno != Errno.None)
                {
                    return errno;
                }
            }
        }
    }

    private Errno RemoveOrLift(ReadOnlySpan<byte> name, DirectoryDescriptor top, ref int moved)
    {
        Errno errno = RemoveOne(name);
        if (errno != Errno.ENOTEMPTY)
        {
            return errno;
        }

        if (!ReferenceEquals(this, top))
        {
            _ = SetMode(name, 0x1c0); // without root, only a directory that one may write can get another parent
            do
            {
                byte[] lifted = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $".oci-lift-{moved++}\0"));
                errno = Result(Interop.Libc.RenameAt2(
                    _handle, name, top._handle, lifted, Interop.Libc.RENAME_NOREPLACE));
            }
            while (errno == Errno.EEXIST);
            return errno;
        }

        errno = OpenReadable(name, out DirectoryDescriptor? child);
        using (child)
        {
            errno = errno == Errno.None ? child!.RemoveEntries(top, ref moved) : errno;
        }

        if (errno == Errno.None)
        {
            errno = RemoveOne(name); // a listing may miss names while others are removed: the caller comes again
        }

        return errno == Errno.ENOTEMPTY ? Errno.None : errno;
    }
}
