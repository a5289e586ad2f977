namespace OciTool.Images.Compatibility;

/// <summary>One layer of an image, read as far as it was asked for.</summary>
/// <remarks>
/// An archive names no path twice: image-spec v1.1, layer.md, "Representing Changes". So what was found stands, and the rest need not be read. Where the rest
/// is little it is read all the same: then the digest is verified, and the last entry of a name counts, as for who unpacks the layer.
/// </remarks>
/// <param name="open">Starts to read the layer; it is called once, and only when something is asked for.</param>
/// <param name="budget">What all layers together may take of the memory.</param>
internal sealed class LayerTree(Func<ILayerEntries> open, MemoryBudget budget) : IDisposable
{
    /// <summary>As many bytes as a server has sent anyway by the time that it sees the end.</summary>
    private const long LittleRest = 1 << 20;

    private readonly Dictionary<string, MemoryNode> _nodes = new(StringComparer.Ordinal) { ["/"] = MemoryNode.ImpliedDirectory };
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);
    private readonly HashSet<string> _opaque = new(StringComparer.Ordinal);
    private ILayerEntries? _entries;
    private UnreadableImageException? _failure;

    /// <summary>Whether the layer was read to its end.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>All its entries, by their paths.</summary>
    public IEnumerable<KeyValuePair<string, MemoryNode>> Nodes
    {
        get
        {
            ReadWhole();
            return _nodes;
        }
    }

    /// <summary>What the layer has at a path; reads on until it is found.</summary>
    public MemoryNode? Find(string path)
    {
        ThrowAgain();
        while (!_nodes.ContainsKey(path) && ReadOne())
        {
            // the next entry may be it
        }

        if (!IsWhole && _entries is { Rest: <= LittleRest })
        {
            ReadWhole();
        }

        return _nodes.GetValueOrDefault(path);
    }

    /// <summary>Whether lower layers have no say about a path; the layer was read to its end before.</summary>
    public bool Hides(string path)
    {
        if (_hidden.Contains(path) || _nodes.GetValueOrDefault(path) is { Kind: not MemoryNodeKind.Directory })
        {
            return true;
        }

        for (int end = path.LastIndexOf('/'); path.Length > 1; end = path.LastIndexOf('/'))
        {
            path = end <= 0 ? "/" : path[..end];
            if (_opaque.Contains(path) || _hidden.Contains(path) || _nodes.GetValueOrDefault(path) is { Kind: not MemoryNodeKind.Directory })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The names that a directory of this layer has, and those that it hides.</summary>
    public void Children(string directory, HashSet<string> names, HashSet<string> hidden)
    {
        ReadWhole();
        string prefix = directory == "/" ? "/" : $"{directory}/";
        names.UnionWith(_nodes.Keys.Where(IsChild).Select(path => path[prefix.Length..]).Where(name => !hidden.Contains(name)));
        hidden.UnionWith(_hidden.Where(IsChild).Select(path => path[prefix.Length..]));

        bool IsChild(string path) => path.Length > prefix.Length && path.StartsWith(prefix, StringComparison.Ordinal) && !path.AsSpan(prefix.Length).Contains('/');
    }

    /// <summary>Whether nothing of lower layers is seen in a directory.</summary>
    public bool IsOpaque(string directory) => _opaque.Contains(directory) || Hides(directory);

    /// <inheritdoc/>
    public void Dispose() => _entries?.Dispose();

    private void ReadWhole()
    {
        ThrowAgain();
        while (ReadOne())
        {
            // to the end
        }
    }

    private void ThrowAgain()
    {
        if (_failure is not null)
        {
            throw new UnreadableImageException(_failure.Message, _failure);
        }
    }

    private bool ReadOne()
    {
        if (IsWhole)
        {
            return false;
        }

        try
        {
            _entries ??= open();
            if (_entries.Next((name, mode, size) => budget.Keeps(Clean(name), mode, size)) is var (name, node))
            {
                Add(Clean(name), node);
                return true;
            }
        }
        catch (UnreadableImageException e)
        {
            _failure = e;
            throw;
        }

        IsWhole = true;
        _entries.Dispose();
        return false;
    }

    private void Add(string path, MemoryNode node)
    {
        int slash = path.LastIndexOf('/');
        string directory = slash <= 0 ? "/" : path[..slash], last = path[(slash + 1)..];
        if (last.StartsWith(".wh.", StringComparison.Ordinal))
        {
            if (last == ".wh..wh..opq")
            {
                _opaque.Add(directory);
            }
            else if (!last.StartsWith(".wh..wh.", StringComparison.Ordinal))
            {
                _hidden.Add(directory == "/" ? $"/{last[4..]}" : $"{directory}/{last[4..]}");
            }

            return;
        }

        budget.Take(node);
        if (node.Kind == MemoryNodeKind.HardLink && _nodes.TryGetValue(Clean(node.Target), out MemoryNode? original))
        {
            node = original;
        }

        if (node.Kind != MemoryNodeKind.Directory && _nodes.TryGetValue(path, out MemoryNode? replaced) && replaced.Kind == MemoryNodeKind.Directory)
        {
            string prefix = $"{path}/";
            foreach (string below in (string[])[.. _nodes.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))])
            {
                _nodes.Remove(below);
            }
        }

        for (int end = path.LastIndexOf('/'); end > 0 && _nodes.TryAdd(path[..end], MemoryNode.ImpliedDirectory); end = path.LastIndexOf('/', end - 1))
        {
            // its parents
        }

        _nodes[path] = node;
    }

    /// <summary>The absolute path that a name of an archive stands for; it cannot lead above the root.</summary>
    internal static string Clean(string name)
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

/// <summary>What the files of an image may take of the memory.</summary>
/// <param name="paths">Paths that are sure to be asked for, however large the files are.</param>
internal sealed class MemoryBudget(IReadOnlyCollection<string> paths)
{
    private const int MostNodes = 500_000;
    private const int LargestFile = 16 << 20;
    private const int Beginning = 64 << 10; // the headers of a program
    private const long MostContent = 192L << 20;

    private long _content;
    private int _nodes;

    /// <summary>How many bytes of a file are kept.</summary>
    public int Keeps(string path, int mode, long size)
    {
        bool isCommand = paths.Contains(path);
        if (size <= 0 || _content >= MostContent || !(isCommand || (mode & 0x49) != 0 || path.Contains(".so", StringComparison.Ordinal)
            || path.StartsWith("/etc/", StringComparison.Ordinal) || path.EndsWith("/os-release", StringComparison.Ordinal)))
        {
            return 0;
        }

        long kept = isCommand || size <= LargestFile ? size : Beginning;
        return (int)Math.Min(kept, MostContent - _content);
    }

    /// <summary>Counts an entry.</summary>
    /// <exception cref="UnreadableImageException">There are too many.</exception>
    public void Take(MemoryNode node)
    {
        if (++_nodes > MostNodes)
        {
            throw new UnreadableImageException($"the image has more than {MostNodes} files");
        }

        _content += node.Content.Length;
    }
}
