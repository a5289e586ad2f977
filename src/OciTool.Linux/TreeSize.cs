using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>How much the files below a directory hold.</summary>
public static class TreeSize
{
    private const int EntryNameOffset = 19; // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name

    /// <summary>Sums the sizes of files and links, each once whatever the number of its names; nothing is followed.</summary>
    /// <param name="path">A path that the caller trusts; 0 when it is not there.</param>
    /// <returns>Bytes; what cannot be read, or is removed meanwhile, is not counted.</returns>
    public static long Of(string path)
    {
        if (!Directory.Exists(path))
        {
            return 0;
        }

        try
        {
            using SafeFileHandle top = RootDirectory.Open(
                Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);
            return Sum(top, []);
        }
        catch (ErrnoException)
        {
            return 0;
        }
    }

    private static long Sum(SafeFileHandle directory, HashSet<FileIdentity> linked)
    {
        long sum = 0;
        List<byte[]> below = [];
        byte[] buffer = new byte[16 * 1024];
        for (nint count; (count = Interop.Libc.GetDents64(directory, buffer)) > 0;)
        {
            for (int offset = 0; offset < count;)
            {
                ReadOnlySpan<byte> entry = buffer.AsSpan(offset);
                offset += BinaryPrimitives.ReadUInt16LittleEndian(entry[16..]);
                ReadOnlySpan<byte> name = entry[EntryNameOffset..];
                name = name[..(name.IndexOf((byte)0) + 1)];
                if (name.SequenceEqual(".\0"u8) || name.SequenceEqual("..\0"u8)
                    || Interop.Libc.Statx(directory, name, out Interop.Libc.StatxResult status) != 0)
                {
                    continue;
                }

                if ((status.Mode & Interop.Libc.S_IFMT) == Interop.Libc.S_IFDIR)
                {
                    below.Add(name.ToArray());
                }
                else if (status.Links < 2 || linked.Add(new FileIdentity(status.DeviceMajor, status.DeviceMinor, status.Inode)))
                {
                    sum += (long)status.Size;
                }
            }
        }

        foreach (byte[] name in below)
        {
            sum += SumBelow(directory, name, linked);
        }

        return sum;
    }

    private static long SumBelow(SafeFileHandle directory, byte[] name, HashSet<FileIdentity> linked)
    {
        try
        {
            using SafeFileHandle child = Open(directory, name);
            return Sum(child, linked);
        }
        catch (ErrnoException)
        {
            return 0;
        }
    }

    private static SafeFileHandle Open(SafeFileHandle directory, byte[] name)
    {
        using Interop.Libc.HeldHandle held = new(directory);
        int descriptor = Interop.Libc.OpenAt2(held.Descriptor, name, new(
            Interop.Libc.O_RDONLY | Interop.Libc.O_DIRECTORY | Interop.Libc.O_NOFOLLOW | Interop.Libc.O_CLOEXEC, 0, 0));
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw ErrnoException.FromLastError("open");
    }
}
