namespace OciTool.Tests.Layers.Model;

/// <summary>A file of a tree. Two names of one file are one object: that is what a hard link is here.</summary>
internal sealed class FileNode(FileKind kind)
{
    public FileKind Kind { get; } = kind;

    public uint Mode { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public Time Modified { get; set; }

    /// <summary>The bytes of a regular file, one character a byte.</summary>
    public string Content { get; set; } = "";

    /// <summary>What a symbolic link says.</summary>
    public string Target { get; set; } = "";

    public uint Major { get; set; }

    public uint Minor { get; set; }

    public SortedDictionary<string, string> Xattrs { get; } = new(StringComparer.Ordinal);

    /// <summary>The files of a directory, by name.</summary>
    public SortedDictionary<string, FileNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether no entry describes this directory: another one's path, or a whiteout's, only leads through it.</summary>
    public bool IsImplied { get; set; }

    /// <summary>Whether the layer hides what lower layers have in this directory (<c>.wh..wh..opq</c>).</summary>
    public bool IsOpaque { get; set; }

    /// <summary>Whether the layer hides the lower directory of this name altogether (<c>.wh.NAME</c> beside it).</summary>
    public bool IsRecreated { get; set; }

    /// <summary>Whether it stands for the absence of a lower file: what overlayfs calls a whiteout.</summary>
    public bool IsWhiteout => Kind == FileKind.CharacterDevice && Major == 0 && Minor == 0;

    public bool IsDirectory => Kind == FileKind.Directory;

    /// <summary>A directory that is only implied: 0755, owner 0:0, time 0.</summary>
    public static FileNode Implied() => new(FileKind.Directory) { Mode = 0x1ed, IsImplied = true };

    public static FileNode Whiteout() => new(FileKind.CharacterDevice);

    /// <summary>Takes what an entry says about owner, mode and time.</summary>
    public void Describe(LayerEntry entry)
    {
        Mode = entry.Mode;
        Uid = entry.Uid;
        Gid = entry.Gid;
        Modified = entry.Modified;
    }

    /// <summary>Takes the description of another directory.</summary>
    public void DescribeLike(FileNode other)
    {
        Mode = other.Mode;
        Uid = other.Uid;
        Gid = other.Gid;
        Modified = other.Modified;
        IsImplied = other.IsImplied;
        Xattrs.Clear();
        foreach ((string name, string value) in other.Xattrs)
        {
            Xattrs.Add(name, value);
        }
    }
}
