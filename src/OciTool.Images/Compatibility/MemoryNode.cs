namespace OciTool.Images.Compatibility;

/// <summary>An entry of a layer.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Its permission bits.</param>
/// <param name="Uid">Its owner.</param>
/// <param name="Gid">Its group.</param>
/// <param name="Size">Its size in bytes.</param>
public sealed record MemoryNode(MemoryNodeKind Kind, int Mode, long Uid, long Gid, long Size)
{
    /// <summary>A directory that no entry describes, as it is made when layers are unpacked.</summary>
    internal static MemoryNode ImpliedDirectory { get; } = new(MemoryNodeKind.Directory, 0x1ed, 0, 0, 0);

    /// <summary>The beginning of its content, as much as was kept.</summary>
    public ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>What a link names.</summary>
    public string Target { get; init; } = "";

    /// <summary>Whether it has file capabilities.</summary>
    public bool HasCapabilities { get; init; }

    /// <summary>Whether it is a device node.</summary>
    public bool IsDevice { get; init; }
}

/// <summary>What an entry of a layer is.</summary>
public enum MemoryNodeKind
{
    /// <summary>A regular file.</summary>
    Regular,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    Link,

    /// <summary>Another name of a file.</summary>
    HardLink,

    /// <summary>A device, FIFO or socket.</summary>
    Special,
}
