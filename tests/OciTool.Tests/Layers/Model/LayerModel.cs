namespace OciTool.Tests.Layers.Model;

/// <summary>The layer may not be applied.</summary>
internal sealed class RefusedException(string reason) : Exception(reason);

/// <summary>What one layer is: image-spec v1.1, layer.md, said as plainly as possible; nothing of the product is used.</summary>
/// <remarks>
/// Entries are written in the archive's order, as an extraction would: the last entry of a name wins, parents are looked up
/// inside the layer's own tree, where links are followed and what is missing is made. Whiteouts act on lower layers
/// only, so they are looked at when all entries are there, and it does not matter where in the archive they stood. The
/// result is a tree that has whiteouts and opaque directories in it, which <see cref="StackModel"/> stacks.
/// </remarks>
internal static class LayerModel
{
    private const int MostLinks = 40; // what the kernel follows on one look-up

    /// <summary>Writes a layer.</summary>
    /// <exception cref="RefusedException">The layer is one of those that must be refused.</exception>
    public static FileNode Apply(IEnumerable<LayerEntry> entries)
    {
        FileNode root = FileNode.Implied();
        List<string[]> hidden = [];
        List<string[]> opaque = [];
        foreach (LayerEntry entry in entries)
        {
            if (entry.Name.Length == 0)
            {
                throw new RefusedException("empty name");
            }

            string[] path = Clean(entry.Name);
            string[] parents = path.Length == 0 ? [] : path[..^1];
            string name = path.Length == 0 ? "" : path[^1];
            if (parents.Any(IsAufs))
            {
                continue; // book-keeping of aufs
            }

            if (parents.Any(parent => parent.StartsWith(".wh.", StringComparison.Ordinal)))
            {
                throw new RefusedException("a file below a whiteout");
            }

            if (name == ".wh..wh..opq")
            {
                opaque.Add(parents);
            }
            else if (IsAufs(name))
            {
                // book-keeping of aufs
            }
            else if (name is ".wh." or ".wh.." or ".wh...")
            {
                throw new RefusedException("a whiteout of nothing, of its directory or of the parent");
            }
            else if (name.StartsWith(".wh.", StringComparison.Ordinal))
            {
                hidden.Add([.. parents, name[4..]]);
            }
            else
            {
                Write(root, path, entry);
            }
        }

        opaque.ForEach(path => MakeOpaque(root, path));
        hidden.OrderBy(path => path.Length).ToList().ForEach(path => Hide(root, path));
        return root;
    }

    private static bool IsAufs(string name) => name.StartsWith(".wh..wh.", StringComparison.Ordinal);

    /// <summary>The components of a name; <c>..</c> takes the one before away, and above the root there is nothing.</summary>
    private static string[] Clean(string name)
    {
        List<string> path = [];
        foreach (string component in name.Split('/'))
        {
            if (component == "..")
            {
                path.RemoveRange(Math.Max(path.Count - 1, 0), Math.Min(path.Count, 1));
            }
            else if (component is not ("" or "."))
            {
                path.Add(component);
            }
        }

        return [.. path];
    }

    private static void Write(FileNode root, string[] path, LayerEntry entry)
    {
        if (path.Length == 0)
        {
            if (entry.Kind != FileKind.Directory)
            {
                throw new RefusedException("the root replaced");
            }

            DescribeDirectory(root, entry);
            return;
        }

        FileNode parent = Enter(root, path[..^1], make: true)!;
        string name = path[^1];
        FileNode? existing = parent.Children.GetValueOrDefault(name);
        if (entry.Kind == FileKind.Directory)
        {
            FileNode directory = existing is { IsDirectory: true } ? existing : new FileNode(FileKind.Directory);
            DescribeDirectory(directory, entry);
            parent.Children[name] = directory;
        }
        else if (entry.Kind == FileKind.HardLink)
        {
            Link(root, path, parent, entry);
        }
        else
        {
            parent.Children[name] = Make(entry);
        }
    }

    private static void DescribeDirectory(FileNode directory, LayerEntry entry)
    {
        directory.Describe(entry);
        directory.IsImplied = false;
        directory.Xattrs.Clear();
        TakeXattrs(directory, entry);
    }

    private static FileNode Make(LayerEntry entry)
    {
        if (entry is { Kind: FileKind.CharacterDevice, Major: 0, Minor: 0 })
        {
            throw new RefusedException("the device that means a whiteout");
        }

        if (entry.Kind == FileKind.SymbolicLink && entry.Link.Length == 0)
        {
            throw new RefusedException("a link to nothing");
        }

        FileNode file = new(entry.Kind) { Content = entry.Content, Target = entry.Link, Major = entry.Major, Minor = entry.Minor };
        file.Describe(entry);
        if (file.Kind == FileKind.SymbolicLink)
        {
            file.Mode = 0x1ff; // Linux has no other
        }

        TakeXattrs(file, entry);
        return file;
    }

    /// <summary>Gives a file of this layer another name; its description is then that of the last entry.</summary>
    private static void Link(FileNode root, string[] path, FileNode parent, LayerEntry entry)
    {
        string[] linkPath = Clean(entry.Link);
        FileNode? directory = linkPath.Length == 0 ? null : Enter(root, linkPath[..^1], make: false);
        FileNode? target = directory?.Children.GetValueOrDefault(linkPath[^1]);
        if (target is null or { IsDirectory: true } || linkPath.SequenceEqual(path))
        {
            throw new RefusedException("a hard link to a directory, to itself or to nothing of this layer");
        }

        // the new name replaces what had it, as any entry does; that may be the target, or a directory above it
        parent.Children.Remove(path[^1]);
        if (!IsBelow(root, directory!) || !directory!.Children.ContainsKey(linkPath[^1]))
        {
            throw new RefusedException("a hard link that takes its own target away");
        }

        parent.Children[path[^1]] = target;
        if (target.Kind == FileKind.SymbolicLink)
        {
            return; // the header of the second name says nothing about a link
        }

        if (target.Uid != entry.Uid || target.Gid != entry.Gid)
        {
            target.Xattrs.Remove("security.capability"); // as chown(2) does
        }

        target.Describe(entry);
        TakeXattrs(target, entry);
    }

    /// <summary><c>user.*</c> and <c>security.capability</c>, but for what overlayfs and container stores reserve.</summary>
    private static void TakeXattrs(FileNode file, LayerEntry entry)
    {
        foreach ((string name, string value) in entry.Xattrs)
        {
            bool reserved = name.StartsWith("user.overlay.", StringComparison.Ordinal) || name.StartsWith("user.containers.", StringComparison.Ordinal);
            bool wanted = name == "security.capability" || name.StartsWith("user.", StringComparison.Ordinal);
            if (wanted && !reserved && file.Kind is FileKind.File or FileKind.Directory)
            {
                file.Xattrs[name] = value;
            }
        }
    }

    private static void MakeOpaque(FileNode root, string[] path)
    {
        // where a file or link of this layer is in the way, it hides the lower directory already
        if (Walk(root, path) is { } directory)
        {
            directory.IsOpaque = true;
        }
    }

    private static void Hide(FileNode root, string[] path)
    {
        // below a directory that shows nothing of lower layers there is nothing to hide
        for (int depth = 0; depth < path.Length; depth++)
        {
            if (Find(root, path[..depth]) is { IsOpaque: true } or { IsRecreated: true })
            {
                return;
            }
        }

        if (Walk(root, path[..^1]) is not { } parent)
        {
            return;
        }

        if (!parent.Children.TryGetValue(path[^1], out FileNode? own))
        {
            parent.Children.Add(path[^1], FileNode.Whiteout());
        }
        else if (own.IsDirectory)
        {
            own.IsRecreated = true;
        }
    }

    private static FileNode? Find(FileNode root, string[] path)
    {
        FileNode? node = root;
        foreach (string name in path)
        {
            node = node?.Children.GetValueOrDefault(name);
        }

        return node;
    }

    /// <summary>The directory of a whiteout: no link is followed, what is missing is made; null where something is in the way.</summary>
    private static FileNode? Walk(FileNode root, string[] path)
    {
        FileNode node = root;
        foreach (string name in path)
        {
            if (!node.Children.TryGetValue(name, out FileNode? child))
            {
                child = FileNode.Implied();
                node.Children.Add(name, child);
            }

            if (!child.IsDirectory)
            {
                return null;
            }

            node = child;
        }

        return node;
    }

    /// <summary>Goes to a directory as if the layer's root were <c>/</c>.</summary>
    /// <returns>Null where something is missing that may not be made.</returns>
    private static FileNode? Enter(FileNode root, string[] path, bool make)
    {
        Stack<FileNode> way = new([root]);
        LinkedList<string> rest = new(path);
        int links = 0;
        while (rest.First is { } first)
        {
            rest.RemoveFirst();
            string name = first.Value;
            if (name is "" or ".")
            {
                continue;
            }

            if (name == "..")
            {
                if (way.Count > 1)
                {
                    way.Pop();
                }

                continue;
            }

            if (!way.Peek().Children.TryGetValue(name, out FileNode? child))
            {
                if (!make)
                {
                    return null;
                }

                child = FileNode.Implied();
                way.Peek().Children.Add(name, child);
            }

            if (child.IsDirectory)
            {
                way.Push(child);
            }
            else if (child.Kind == FileKind.SymbolicLink)
            {
                if (++links > MostLinks)
                {
                    throw new RefusedException("too many links");
                }

                if (child.Target.StartsWith('/'))
                {
                    way = new([root]);
                }

                foreach (string component in child.Target.Split('/').Reverse())
                {
                    rest.AddFirst(component);
                }
            }
            else
            {
                throw new RefusedException("not a directory");
            }
        }

        return way.Peek();
    }

    private static bool IsBelow(FileNode root, FileNode directory) =>
        root == directory || root.Children.Values.Any(child => child.IsDirectory && IsBelow(child, directory));
}
