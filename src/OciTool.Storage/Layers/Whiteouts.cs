namespace OciTool.Storage.Layers;

/// <summary>What the name of an entry says about lower layers.</summary>
internal enum WhiteoutKind
{
    /// <summary>Nothing: an ordinary entry.</summary>
    None,

    /// <summary><c>.wh.NAME</c>: NAME of lower layers is hidden.</summary>
    Hides,

    /// <summary><c>.wh..wh..opq</c>: all of the directory's content in lower layers is hidden.</summary>
    Opaque,

    /// <summary>Book-keeping of aufs, of no meaning here.</summary>
    AufsMetadata,

    /// <summary>A whiteout that names nothing, the directory itself or its parent, or that has entries below it.</summary>
    Invalid,
}

/// <summary>The whiteouts of a layer (image-spec, layer.md, "Whiteouts").</summary>
/// <remarks>
/// They act on lower layers only and wherever in the archive they stand. So they are collected while the entries are
/// written, and become what the snapshot needs when all entries are known: a name that the layer itself has is not
/// hidden, but where it is a directory its lower content is.
/// </remarks>
internal sealed class Whiteouts
{
    private readonly List<byte[]> _hidden = [];
    private readonly List<byte[]> _opaque = [];

    /// <summary>Whether the root is opaque: nothing of lower layers is seen, so no other whiteout has a meaning.</summary>
    public bool OpaqueRoot { get; private set; }

    /// <summary>Paths that are hidden, a directory before what is below it; each ends with NUL.</summary>
    public IReadOnlyList<byte[]> Hidden
    {
        get
        {
            _hidden.Sort(static (left, right) => Depth(left).CompareTo(Depth(right)));
            return _hidden;
        }
    }

    /// <summary>Directories whose lower content is hidden, but for the root; each path ends with NUL.</summary>
    public IReadOnlyList<byte[]> Opaque => _opaque;

    /// <summary>Finds out what a name says.</summary>
    /// <param name="path">The path of an entry.</param>
    public static WhiteoutKind Classify(EntryPath path)
    {
        ReadOnlySpan<byte> name = path.Name[..^1];
        ReadOnlySpan<byte> parent = path.Parent;
        if (parent.StartsWith(".wh."u8) || parent.IndexOf("/.wh."u8) >= 0)
        {
            return parent.StartsWith(".wh..wh."u8) || parent.IndexOf("/.wh..wh."u8) >= 0
                ? WhiteoutKind.AufsMetadata
                : WhiteoutKind.Invalid;
        }

        return !name.StartsWith(".wh."u8) ? WhiteoutKind.None
            : name.SequenceEqual(".wh..wh..opq"u8) ? WhiteoutKind.Opaque
            : name.StartsWith(".wh..wh."u8) ? WhiteoutKind.AufsMetadata
            : name.Length == 4 || name[4..].SequenceEqual("."u8) || name[4..].SequenceEqual(".."u8) ? WhiteoutKind.Invalid
            : WhiteoutKind.Hides;
    }

    /// <summary>Takes a whiteout.</summary>
    /// <param name="kind"><see cref="WhiteoutKind.Hides"/> or <see cref="WhiteoutKind.Opaque"/>.</param>
    /// <param name="path">The path of its entry.</param>
    public void Add(WhiteoutKind kind, EntryPath path)
    {
        if (kind == WhiteoutKind.Hides)
        {
            int parentLength = path.Parent.Length == 0 ? 0 : path.Parent.Length + 1;
            byte[] hidden = new byte[path.Length + 1 - 4];
            path.Bytes[..parentLength].CopyTo(hidden);
            path.Name[4..].CopyTo(hidden.AsSpan(parentLength));
            _hidden.Add(hidden);
        }
        else if (path.Parent.IsEmpty)
        {
            OpaqueRoot = true;
        }
        else
        {
            _opaque.Add([.. path.Parent, 0]);
        }
    }

    private static int Depth(byte[] path) => path.AsSpan().Count((byte)'/');
}
