namespace OciTool.Images.Compatibility;

/// <summary>The entries of one layer in the order of its archive, read as they are asked for; disposing stops the reading.</summary>
public interface ILayerEntries : IDisposable
{
    /// <summary>How many bytes of the layer, as it is transferred, were not read yet.</summary>
    long Rest { get; }

    /// <summary>Reads the next entry.</summary>
    /// <param name="wants">Says how many bytes of a regular file are kept, by its name, its permission bits and its size.</param>
    /// <returns>The entry; null behind the last one, when the whole layer was read and is what its digest says.</returns>
    /// <exception cref="UnreadableImageException">The layer is damaged, or more than may be read.</exception>
    (string Name, MemoryNode Node)? Next(Func<string, int, long, int> wants);
}
