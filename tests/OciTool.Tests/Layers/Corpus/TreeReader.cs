using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Reads a tree byte by byte: names need not be UTF-8, and paths may be longer than the kernel takes at once.</summary>
internal static class TreeReader
{
    private static readonly string[] HostsOwn = ["security.selinux", "system.posix_acl_access", "system.posix_acl_default"];

    /// <summary>All files below a directory by their path, which is Latin-1; <c>.</c> is the directory itself.</summary>
    public static SortedDictionary<string, TreeEntry> Read(string root)
    {
        SortedDictionary<string, TreeEntry> entries = new(StringComparer.Ordinal);
        byte[] name = [.. Encoding.UTF8.GetBytes(root), 0];
        entries["."] = Describe(LibC.AT_FDCWD, name, name, out _);
        ReadDirectory(name, "", entries);
        return entries;
    }

    private static void ReadDirectory(byte[] openBy, string path, SortedDictionary<string, TreeEntry> entries)
    {
        nint directory = LibC.OpenDirectory(openBy);
        if (directory == 0)
        {
            throw new IOException($"cannot list {path}: errno {Marshal.GetLastPInvokeError()}");
        }

        try
        {
            int descriptor = LibC.Descriptor(directory);
            string prefix = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor}/");
            for (nint next = LibC.ReadDirectory(directory); next != 0; next = LibC.ReadDirectory(directory))
            {
                string name = NameOf(next);
                if (name is "." or "..")
                {
                    continue;
                }

                string child = path.Length == 0 ? name : $"{path}/{name}";
                byte[] bytes = [.. Encoding.Latin1.GetBytes(name), 0];
                byte[] full = [.. Encoding.ASCII.GetBytes(prefix), .. bytes];
                entries[child] = Describe(descriptor, bytes, full, out bool isDirectory);
                if (isDirectory)
                {
                    ReadDirectory(full, child, entries);
                }
            }
        }
        finally
        {
            _ = LibC.CloseDirectory(directory);
        }
    }

    private static TreeEntry Describe(int directory, byte[] name, byte[] path, out bool isDirectory)
    {
        byte[] status = new byte[256];
        isDirectory = false;
        if (LibC.Status(directory, name, LibC.AT_SYMLINK_NOFOLLOW, LibC.STATX_BASIC_STATS, status) != 0)
        {
            return new('?', 0, Content: string.Create(CultureInfo.InvariantCulture, $"errno {Marshal.GetLastPInvokeError()}"));
        }

        int mode = BinaryPrimitives.ReadUInt16LittleEndian(status.AsSpan(28));
        char type = (mode & 0xf000) switch { 0x4000 => 'd', 0xa000 => 'l', 0x2000 => 'c', 0x6000 => 'b', 0x1000 => 'p', 0x8000 => 'f', _ => 's' };
        isDirectory = type == 'd';
        return new(
            type, type == 'l' ? 0x1ff : (uint)mode & 0xfff, Word(20), Word(24), type switch
            {
                'f' => TreeEntry.Text(Content(path, Long(40))),
                'l' => Target(path),
                'c' or 'b' => string.Create(CultureInfo.InvariantCulture, $"{Word(128)}:{Word(132)}"),
                _ => "",
            },
            Long(112) + (Word(120) / 1_000_000_000m),
            type == 'd' ? null : Word(16),
            type == 'f' ? Long(48) * 512 < Long(40) / 2 : null)
        { Xattrs = Xattrs(path) };

        long Long(int offset) => BinaryPrimitives.ReadInt64LittleEndian(status.AsSpan(offset));

        uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(status.AsSpan(offset));
    }

    private static byte[] Content(byte[] path, long size)
    {
        byte[] content = new byte[size];
        int descriptor = LibC.Open(path, 0);
        int done = 0;
        try
        {
            byte[] part = new byte[Math.Min(size + 1, 1 << 20)];
            for (nint count = LibC.Read(descriptor, part, part.Length); count > 0; count = LibC.Read(descriptor, part, part.Length))
            {
                part.AsSpan(0, (int)count).CopyTo(content.AsSpan(done));
                done += (int)count;
            }
        }
        finally
        {
            _ = LibC.Close(descriptor);
        }

        return done == size ? content : throw new IOException($"read {done} of {size} bytes");
    }

    private static string Target(byte[] path)
    {
        byte[] target = new byte[4097];
        return Encoding.Latin1.GetString(target.AsSpan(0, (int)Math.Max(LibC.ReadLink(path, target, target.Length), 0)));
    }

    private static SortedDictionary<string, string> Xattrs(byte[] path)
    {
        SortedDictionary<string, string> xattrs = new(StringComparer.Ordinal);
        nint length = LibC.ListXattrs(path, [], 0);
        if (length <= 0)
        {
            return xattrs;
        }

        byte[] names = new byte[length];
        length = Math.Max(LibC.ListXattrs(path, names, names.Length), 0);
        foreach (string name in Encoding.Latin1.GetString(names.AsSpan(0, (int)length)).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] value = new byte[65536];
            nint size = LibC.GetXattr(path, [.. Encoding.Latin1.GetBytes(name), 0], value, value.Length);
            if (size >= 0 && !HostsOwn.Contains(name))
            {
                xattrs[name] = TreeEntry.Text(value.AsSpan(0, (int)size));
            }
        }

        return xattrs;
    }

    private static string NameOf(nint entry)
    {
        const int Name = 19; // struct dirent64: inode, offset, length, type, name
        int length = 0;
        while (Marshal.ReadByte(entry, Name + length) != 0)
        {
            length++;
        }

        byte[] name = new byte[length];
        Marshal.Copy(entry + Name, name, 0, length);
        return Encoding.Latin1.GetString(name);
    }

    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static class LibC
    {
        internal const int AT_FDCWD = -100;
        internal const int AT_SYMLINK_NOFOLLOW = 0x100;
        internal const uint STATX_BASIC_STATS = 0x7ff;

        [DllImport("libc", EntryPoint = "opendir", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint OpenDirectory(byte[] path);

        [DllImport("libc", EntryPoint = "readdir64")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint ReadDirectory(nint directory);

        [DllImport("libc", EntryPoint = "closedir")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int CloseDirectory(nint directory);

        [DllImport("libc", EntryPoint = "dirfd")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Descriptor(nint directory);

        [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Status(int directory, byte[] path, int flags, uint mask, byte[] status);

        [DllImport("libc", EntryPoint = "open64", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Open(byte[] path, int flags);

        [DllImport("libc", EntryPoint = "read")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint Read(int descriptor, byte[] buffer, nint size);

        [DllImport("libc", EntryPoint = "close")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Close(int descriptor);

        [DllImport("libc", EntryPoint = "readlink")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint ReadLink(byte[] path, byte[] buffer, nint size);

        [DllImport("libc", EntryPoint = "llistxattr")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint ListXattrs(byte[] path, byte[] names, nint size);

        [DllImport("libc", EntryPoint = "lgetxattr")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint GetXattr(byte[] path, byte[] name, byte[] value, nint size);
    }
}
