using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Tests.Layers.Model;

namespace OciTool.SystemTests.Layers;

/// <summary>Reads a mounted tree by system calls: names are bytes, and times have all their nanoseconds.</summary>
internal sealed class LiveTree
{
    private const int AtCurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const uint BasicStats = 0x7ff;

    private readonly Dictionary<(uint, uint, ulong), FileNode> _linked = [];
    private readonly byte[] _status = new byte[256];
    private readonly byte[] _names = new byte[32 * 1024];
    private readonly byte[] _value = new byte[64 * 1024];

    /// <summary>Reads a tree.</summary>
    /// <param name="root">A descriptor of its root; <c>O_PATH</c> is enough.</param>
    public static FileNode Read(SafeFileHandle root) =>
        new LiveTree().Read($"/proc/self/fd/{root.DangerousGetHandle().ToString(CultureInfo.InvariantCulture)}/.");

    private FileNode Read(string path)
    {
        byte[] terminated = Bytes(path);
        Checked(Statx(AtCurrentDirectory, terminated, NoFollow, BasicStats, _status), "statx", path);
        uint mode = BinaryPrimitives.ReadUInt16LittleEndian(_status.AsSpan(28));
        FileKind kind = (mode & 0xf000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Directory,
            0xa000 => FileKind.SymbolicLink,
            0x2000 => FileKind.CharacterDevice,
            0x6000 => FileKind.BlockDevice,
            0x1000 => FileKind.Fifo,
            _ => throw new IOException($"{path} is of type {mode:x}"),
        };
        (uint, uint, ulong) identity = (U32(136), U32(140), BinaryPrimitives.ReadUInt64LittleEndian(_status.AsSpan(32)));
        if (kind != FileKind.Directory && _linked.TryGetValue(identity, out FileNode? known))
        {
            return known;
        }

        long size = BinaryPrimitives.ReadInt64LittleEndian(_status.AsSpan(40));
        FileNode node = new(kind)
        {
            Mode = mode & 0xfff,
            Uid = U32(20),
            Gid = U32(24),
            Modified = new Time(BinaryPrimitives.ReadInt64LittleEndian(_status.AsSpan(112)), (int)U32(120)),
            Major = U32(128),
            Minor = U32(132),
            Target = kind == FileKind.SymbolicLink
                ? Text(_value, Checked(ReadLink(terminated, _value, _value.Length), "readlink", path))
                : "",
            Content = kind == FileKind.File ? Content(terminated, path, size) : "",
        };
        ReadXattrs(node, terminated, path);
        if (kind == FileKind.Directory)
        {
            foreach (string name in Names(terminated, path))
            {
                node.Children.Add(name, Read($"{path}/{name}")); // twice the same name would be an error, too
            }
        }
        else
        {
            _linked.Add(identity, node);
        }

        return node;
    }

    private static string Content(byte[] terminated, string path, long size)
    {
        using SafeFileHandle file = OpenFile(terminated, path, 0);
        byte[] content = new byte[size + 1];
        int length = 0;
        int count;
        while ((count = RandomAccess.Read(file, content.AsSpan(length), length)) > 0)
        {
            length += count;
        }

        return length == size ? Text(content, length) : throw new IOException($"{path} has {length} bytes and says {size}");
    }

    private void ReadXattrs(FileNode node, byte[] terminated, string path)
    {
        int length = (int)Checked(ListXattr(terminated, _names, _names.Length), "listxattr", path);
        foreach (string name in Text(_names, length).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            nint size = Checked(GetXattr(terminated, Bytes(name), _value, _value.Length), "getxattr", path);
            node.Xattrs.Add(name, Text(_value, size));
        }
    }

    private List<string> Names(byte[] terminated, string path)
    {
        using SafeFileHandle directory = OpenFile(terminated, path, 0x10000); // O_DIRECTORY
        List<string> names = [];
        int length;
        while ((length = (int)Checked(GetEntries(directory, _names, _names.Length), "getdents64", path)) > 0)
        {
            for (int at = 0; at < length; at += BinaryPrimitives.ReadUInt16LittleEndian(_names.AsSpan(at + 16)))
            {
                int start = at + 19;
                string name = Text(_names.AsSpan(start, _names.AsSpan(start).IndexOf((byte)0)));
                if (name is not ("." or ".."))
                {
                    names.Add(name);
                }
            }
        }

        return names;
    }

    private uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_status.AsSpan(offset));

    private static byte[] Bytes(string text) => [.. Encoding.Latin1.GetBytes(text), 0];

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static string Text(byte[] bytes, nint length) => Text(bytes.AsSpan(0, (int)length));

    private static SafeFileHandle OpenFile(byte[] terminated, string path, int flags) =>
        new((nint)Checked(Open(terminated, flags | 0x80000), "open", path), ownsHandle: true); // O_CLOEXEC

    private static nint Checked(nint result, string call, string path) =>
        result >= 0
            ? result
            : throw new IOException($"{call} {TreeText.Escape(path)}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern int Statx(int directory, byte[] path, int flags, uint mask, byte[] status);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern nint GetEntries(SafeFileHandle directory, byte[] entries, nint size);

    [DllImport("libc", EntryPoint = "readlink", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern nint ReadLink(byte[] path, byte[] target, nint size);

    [DllImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern nint ListXattr(byte[] path, byte[] names, nint size);

    [DllImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern nint GetXattr(byte[] path, byte[] name, byte[] value, nint size);
}
