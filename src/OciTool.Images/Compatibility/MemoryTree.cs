namespace OciTool.Images.Compatibility;

/// <summary>The files of an image in memory, layer over layer: of each its description, and the content of those that checks may read.</summary>
public sealed class MemoryTree : IImageFiles
{
    private const int MostNodes = 500_000;
    private const int MostLinks = 40; // as the kernel
    private const long LargestFile = 16L << 20;
    private const long MostContent = 192L << 20;

    private readonly SortedDictionary<string, MemoryNode> _nodes = new(StringComparer.Ordinal) { ["/"] = new(MemoryNodeKind.Directory, 0x1ed, 0, 0, 0) };
    private readonly HashSet<string> _ofThisLayer = new(StringComparer.Ordinal);
    private long _content;

    /// <summary>Starts a layer: its whiteouts hide what is below it, and not what is in it.</summary>
    public void BeginLayer() => _ofThisLayer.Clear();

    /// <summary>Whether the content of a file is worth its memory.</summary>
    /// <param name="name">Its name in the archive.</param>
    /// <param name="mode">Its permission bits.</param>
    /// <param name="size">Its size in bytes.</param>
    public bool Wants(string name, int mode, long size)
    {
        string path = Clean(name);
        return size is >= 0 and <= LargestFile && _content + size <= MostContent
            && ((mode & 0x49) != 0 || path.Contains(".so", StringComparison.Ordinal)
                || path.StartsWith("/etc/", StringComparison.Ordinal) || path.EndsWith("/os-release", StringComparison.Ordinal));
    }

    /// <summary>Adds an entry of the layer.</summary>
    /// <param name="name">Its name in the archive; a whiteout removes.</param>
    /// <param name="node">What it is.</param>
    public void Add(string name, MemoryNode node)
    {
        string path = Clean(name);
        int slash = path.LastIndexOf('/');
        string directory = slash <= 0 ? "/" : path[..slash], last = path[(slash + 1)..];
        if (last.StartsWith(".wh.", StringComparison.Ordinal))
        {
            if (last == ".wh..wh..opq")
            {
                Remove(directory, keepsItself: true);
            }
            else if (!last.StartsWith(".wh..wh.", StringComparison.Ordinal))
            {
                Remove(directory == "/" ? $"/{last[4..]}" : $"{directory}/{last[4..]}", keepsItself: false);
            }

            return;
        }

        if (_nodes.Count >= MostNodes)
        {
            throw new UnreadableImageException($"the image has more than {MostNodes} files");
        }

        if (node.Kind == MemoryNodeKind.HardLink)
        {
            if (!_nodes.TryGetValue(Clean(node.Target), out MemoryNode? original))
            {
                return;
            }

            node = original;
        }
        else
        {
            _content += node.Content?.Length ?? 0;
        }

        if (node.Kind != MemoryNodeKind.Directory && _nodes.TryGetValue(path, out MemoryNode? replaced) && replaced.Kind == MemoryNodeKind.Directory)
        {
            Remove(path, keepsItself: false);
        }

        AddParents(path);
        _nodes[path] = node;
        _ofThisLayer.Add(path);
    }

    // directories that no entry describes, as they are made when layers are unpacked
    private void AddParents(string path)
    {
        for (int end = path.LastIndexOf('/'); end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (_nodes.TryAdd(path[..end], new MemoryNode(MemoryNodeKind.Directory, 0x1ed, 0, 0, 0)))
            {
                _ofThisLayer.Add(path[..end]);
            }
            else
            {
                break;
            }
        }
    }

    /// <inheritdoc/>
    public ImageFile? Find(string path) => Resolve(path) is (var real, var node)
        ? new ImageFile(
            node.Kind switch { MemoryNodeKind.Regular => ImageFileKind.Regular, MemoryNodeKind.Directory => ImageFileKind.Directory, _ => ImageFileKind.Special },
            node.Mode, node.Uid, node.Gid, node.Size, real)
        : null;

    /// <inheritdoc/>
    public IFileBytes? Open(string path) => Resolve(path) is (var real, { Kind: MemoryNodeKind.Regular } node)
        ? new MemoryBytes(node.Content ?? (node.Size == 0 ? [] : throw new UnreadableImageException($"{Printable.Shorten(real)} has {node.Size} bytes, which were not kept: pull the image first")))
        : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string path)
    {
        if (Resolve(path) is not (var real, { Kind: MemoryNodeKind.Directory }))
        {
            return [];
        }

        string prefix = real == "/" ? "/" : $"{real}/";
        return [.. _nodes.Keys
            .Where(name => name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal) && !name.AsSpan(prefix.Length).Contains('/'))
            .Select(name => name[prefix.Length..])];
    }

    /// <inheritdoc/>
    public TreeFacts ReadTree()
    {
        TreeFacts facts = new(0, 0, "/");
        HashSet<string> folded = new(StringComparer.OrdinalIgnoreCase);
        foreach ((string path, MemoryNode node) in _nodes)
        {
            if (node.Uid > facts.HighestUser || node.Gid > facts.HighestGroup)
            {
                facts = facts with { HighestUser = Math.Max(node.Uid, facts.HighestUser), HighestGroup = Math.Max(node.Gid, facts.HighestGroup), Owner = path };
            }

            facts = facts with
            {
                Capabilities = Counted(facts.Capabilities, path, node.HasCapabilities),
                Devices = Counted(facts.Devices, path, node.IsDevice),
                CaseCollisions = Counted(facts.CaseCollisions, path, !folded.Add(path)),
            };
        }

        return facts;
    }

    private static (string? First, int Count) Counted((string? First, int Count) known, string path, bool counts) =>
        counts ? (known.First ?? path, known.Count + 1) : known;

    private (string Path, MemoryNode Node)? Resolve(string path)
    {
        int links = 0;
        List<string> done = [];
        Stack<string> open = new(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (open.TryPop(out string? name))
        {
            if (name == ".")
            {
                continue;
            }

            if (name == "..")
            {
                done.RemoveRange(Math.Max(done.Count - 1, 0), Math.Min(done.Count, 1)); // above the root is the root
                continue;
            }

            string here = $"/{string.Join('/', done.Append(name))}";
            if (!_nodes.TryGetValue(here, out MemoryNode? node))
            {
                return null;
            }

            if (node.Kind != MemoryNodeKind.Link)
            {
                if (open.Count > 0 && node.Kind != MemoryNodeKind.Directory)
                {
                    return null;
                }

                done.Add(name);
                continue;
            }

            if (++links > MostLinks || node.Target.Length == 0)
            {
                return null;
            }

            if (node.Target[0] == '/')
            {
                done.Clear();
            }

            foreach (string part in node.Target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                open.Push(part);
            }
        }

        string real = $"/{string.Join('/', done)}";
        return _nodes.TryGetValue(real, out MemoryNode? found) ? (real, found) : null;
    }

    private void Remove(string path, bool keepsItself)
    {
        string prefix = path == "/" ? "/" : $"{path}/";
        foreach (string name in (string[])[.. _nodes.Keys.Where(name => name.Length > 1
            && ((name == path && !keepsItself) || name.StartsWith(prefix, StringComparison.Ordinal)) && !_ofThisLayer.Contains(name))])
        {
            _nodes.Remove(name);
        }
    }

    /// <summary>The absolute path that a name of an archive stands for; it cannot lead above the root.</summary>
    private static string Clean(string name)
    {
        List<string> parts = [];
        foreach (string part in name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                parts.RemoveRange(Math.Max(parts.Count - 1, 0), Math.Min(parts.Count, 1));
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return $"/{string.Join('/', parts)}";
    }
}

/// <summary>An entry of a layer.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Its permission bits.</param>
/// <param name="Uid">Its owner.</param>
/// <param name="Gid">Its group.</param>
/// <param name="Size">Its size in bytes.</param>
public sealed record MemoryNode(MemoryNodeKind Kind, int Mode, long Uid, long Gid, long Size)
{
    /// <summary>Its content, where it was kept.</summary>
    public byte[]? Content { get; init; }

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
