using OciTool.Linux;

namespace OciTool.Storage.Tar;

/// <summary>What an entry of an archive is.</summary>
internal enum TarEntryKind
{
    Other,
    RegularFile,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// <summary>An extended attribute of an entry (<c>SCHILY.xattr.*</c> of PAX).</summary>
/// <param name="Name">Its name, ending with NUL.</param>
/// <param name="Value">Its value.</param>
internal readonly record struct TarXattr(byte[] Name, byte[] Value);

/// <summary>The bytes of a name, in a buffer that is used again for the next entry.</summary>
internal struct NameBuffer
{
    private byte[] _bytes;
    private int _length;

    public readonly ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _length);

    public void Set(ReadOnlySpan<byte> name)
    {
        _length = 0;
        Append(name);
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_bytes is null || _length + bytes.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(256, (_length + bytes.Length) * 2));
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }
}

/// <summary>What an archive says about one file; <see cref="TarReader"/> fills the same object again for the next.</summary>
internal sealed class TarEntry
{
    private NameBuffer _name;
    private NameBuffer _linkName;

    /// <summary>What it is.</summary>
    public TarEntryKind Kind { get; set; }

    /// <summary>The type flag of its header, for messages about types we do not know.</summary>
    public byte TypeFlag { get; set; }

    /// <summary>Where its header starts, in bytes.</summary>
    public long Offset { get; set; }

    /// <summary>The name, byte for byte.</summary>
    public ReadOnlySpan<byte> Name => _name.Span;

    /// <summary>What a link names, byte for byte.</summary>
    public ReadOnlySpan<byte> LinkName => _linkName.Span;

    /// <summary>Permission, set-id and sticky bits.</summary>
    public uint Mode { get; set; }

    /// <summary>The user id, as large as the archive says.</summary>
    public long Uid { get; set; }

    /// <summary>The group id, as large as the archive says.</summary>
    public long Gid { get; set; }

    /// <summary>The size of the file in bytes, holes included; 0 for everything that is not a file.</summary>
    public long Size { get; set; }

    /// <summary>Whether the file has holes, so that its data come with offsets.</summary>
    public bool IsSparse { get; set; }

    /// <summary>The time of modification.</summary>
    public FileTime Modified { get; set; }

    /// <summary>The major number of a device.</summary>
    public long DeviceMajor { get; set; }

    /// <summary>The minor number of a device.</summary>
    public long DeviceMinor { get; set; }

    /// <summary>Extended attributes, in the archive's order.</summary>
    public List<TarXattr> Xattrs { get; } = [];

    public void SetName(ReadOnlySpan<byte> name) => _name.Set(name);

    public void SetName(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name)
    {
        _name.Set(prefix);
        _name.Append("/"u8);
        _name.Append(name);
    }

    public void SetLinkName(ReadOnlySpan<byte> name) => _linkName.Set(name);
}
