namespace OciTool.Storage;

/// <summary>A directory below <c>tmp/</c> that the next writer sweeps away when its owner is gone.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly TemporaryPath _place;

    internal TemporaryDirectory(StorageRoot root)
    {
        _place = new TemporaryPath(root);
        Directory.CreateDirectory(Path);
    }

    internal string Path => _place.Path;

    public void Dispose() => _place.Dispose();
}
