namespace OciTool.Images.Compatibility;

/// <summary>The files of an image whose layers are archives: of each layer no more is read than what is asked for needs.</summary>
/// <remarks>
/// Layers are asked from the top: who is above decides. A path that an upper layer lacks is looked for below only when that layer was read to its end, for it might
/// hide what is below. So nothing is taken for absent, or for the file that a container sees, by a layer that was not read.
/// </remarks>
public sealed class LayeredTree : IImageFiles, IDisposable
{
    private const int MostLinks = 40; // as the kernel

    private readonly LayerTree[] _layers; // the top first

    /// <summary>Takes the layers; nothing is read yet.</summary>
    /// <param name="layers">Each starts to read one, the lowest first.</param>
    /// <param name="config">The image's configuration: it names files that are sure to be asked for.</param>
    public LayeredTree(IEnumerable<Func<ILayerEntries>> layers, ExecutionConfig? config)
    {
        MemoryBudget budget = new(CommandSearch.WordsOf(config) is [var first, ..] ? [.. CommandSearch.PathsOf(first, config).Select(LayerTree.Clean)] : []);
        _layers = [.. layers.Reverse().Select(open => new LayerTree(open, budget))];
    }

    /// <inheritdoc/>
    public ImageFile? Find(string path) => Resolve(path) is (var real, var node)
        ? new ImageFile(
            node.Kind switch { MemoryNodeKind.Regular => ImageFileKind.Regular, MemoryNodeKind.Directory => ImageFileKind.Directory, _ => ImageFileKind.Special },
            node.Mode, node.Uid, node.Gid, node.Size, real)
        : null;

    /// <inheritdoc/>
    public IFileBytes? Open(string path) => Resolve(path) is (var real, { Kind: MemoryNodeKind.Regular } node)
        ? node.Content.Length == node.Size ? new MemoryBytes(node.Content) : new FirstBytes(real, node)
        : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string path)
    {
        if (Resolve(path) is not (var real, { Kind: MemoryNodeKind.Directory }))
        {
            return [];
        }

        HashSet<string> names = new(StringComparer.Ordinal), hidden = new(StringComparer.Ordinal);
        foreach (LayerTree layer in _layers)
        {
            layer.Children(real, names, hidden);
            if (layer.IsOpaque(real))
            {
                break;
            }
        }

        return [.. names];
    }

    /// <inheritdoc/>
    public TreeFacts ReadTree()
    {
        SortedDictionary<string, MemoryNode> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < _layers.Length; i++)
        {
            LayerTree[] above = _layers[..i];
            foreach ((string path, MemoryNode node) in _layers[i].Nodes)
            {
                if (!seen.ContainsKey(path) && !Array.Exists(above, upper => upper.Hides(path)))
                {
                    seen.Add(path, node);
                }
            }
        }

        TreeSurvey survey = new();
        foreach ((string path, MemoryNode node) in seen)
        {
            survey.Add(path, node.Uid, node.Gid, node.HasCapabilities, node.IsDevice);
        }

        return survey.Facts;
    }

    /// <summary>Stops reading.</summary>
    public void Dispose()
    {
        foreach (LayerTree layer in _layers)
        {
            layer.Dispose();
        }
    }

    private MemoryNode? Look(string path)
    {
        foreach (LayerTree layer in _layers)
        {
            if (layer.Find(path) is { } node)
            {
                return node.Kind != MemoryNodeKind.HardLink ? node
                    : throw new UnreadableImageException($"{Printable.Shorten(path)} is a hard link to a file of another layer: pull the image first");
            }

            if (layer.Hides(path))
            {
                return null;
            }
        }

        return null;
    }

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

            if (Look($"/{string.Join('/', done.Append(name))}") is not { } node)
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
        return (real == "/" ? MemoryNode.ImpliedDirectory : Look(real)) is { } found ? (real, found) : null;
    }

    /// <summary>A file of which only the beginning was kept.</summary>
    private sealed class FirstBytes(string path, MemoryNode node) : IFileBytes
    {
        public long Length => node.Size;

        public int Read(long offset, Span<byte> buffer)
        {
            if (offset >= node.Size)
            {
                return 0;
            }

            int wanted = (int)Math.Min(buffer.Length, node.Size - offset);
            if (offset + wanted > node.Content.Length)
            {
                throw new UnreadableImageException($"{Printable.Shorten(path)} has {node.Size} bytes, of which {node.Content.Length} were kept: pull the image first");
            }

            node.Content.Span.Slice((int)offset, wanted).CopyTo(buffer);
            return wanted;
        }
    }
}
