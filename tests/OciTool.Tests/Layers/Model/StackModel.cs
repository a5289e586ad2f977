namespace OciTool.Tests.Layers.Model;

/// <summary>Whose description a directory has that an upper layer only leads through.</summary>
internal enum ImpliedDirectories
{
    /// <summary>That of the lower layer, as image-spec says: an upper layer that has no entry for it does not change it.</summary>
    KeepLower,

    /// <summary>0755, 0:0 and time 0: the upper layer's directory is on top, and overlayfs takes its description.</summary>
    ShadowLower,
}

/// <summary>What a container sees of a stack of layers: image-spec v1.1, layer.md, "Applying Changesets".</summary>
internal static class StackModel
{
    /// <summary>Stacks layers.</summary>
    /// <param name="layers">The trees of <see cref="LayerModel.Apply"/>, lowest first.</param>
    /// <returns>A tree without whiteouts. Its directories are new, its files are those of the layers.</returns>
    public static FileNode Stack(IEnumerable<FileNode> layers, ImpliedDirectories implied = ImpliedDirectories.KeepLower)
    {
        FileNode merged = FileNode.Implied();
        foreach (FileNode layer in layers)
        {
            merged = Put(merged, layer, implied)!;
        }

        return merged;
    }

    /// <summary>Puts a file of a layer on top of what lower layers have by its name.</summary>
    /// <returns>What is seen then; null when that is nothing.</returns>
    private static FileNode? Put(FileNode? lower, FileNode upper, ImpliedDirectories implied)
    {
        if (upper.IsWhiteout)
        {
            return null;
        }

        if (!upper.IsDirectory)
        {
            return upper;
        }

        FileNode? below = lower is { IsDirectory: true } && !upper.IsRecreated ? lower : null;
        bool keep = upper.IsImplied && below is not null && implied == ImpliedDirectories.KeepLower;
        FileNode merged = new(FileKind.Directory);
        merged.DescribeLike(keep ? below! : upper);
        if (below is not null && !upper.IsOpaque)
        {
            foreach ((string name, FileNode file) in below.Children)
            {
                merged.Children.Add(name, file);
            }
        }

        foreach ((string name, FileNode file) in upper.Children)
        {
            FileNode? seen = Put(merged.Children.GetValueOrDefault(name), file, implied);
            merged.Children.Remove(name);
            if (seen is not null)
            {
                merged.Children.Add(name, seen);
            }
        }

        return merged;
    }
}
