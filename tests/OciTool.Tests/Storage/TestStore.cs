using OciTool.Images;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

/// <summary>A store in a directory of its own.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");

    public TestStore(string? at = null)
    {
        Root = Open(at ?? System.IO.Path.Join(_directory.FullName, "root"));
        Images = new ImageStore(Root);
        Containers = new ContainerStore(Root, Images);
    }

    public StorageRoot Root { get; }

    public ImageStore Images { get; }

    public ContainerStore Containers { get; }

    public string Path => Root.Path;

    public static Platform Amd64 { get; } = new("linux", "amd64");

    public static Platform Arm64 { get; } = new("linux", "arm64");

    public async Task<CopiedImage> PullAsync(TestImage image, string name, Platform? platform = null, ICopyProgress? progress = null)
    {
        using StoreDestination destination = new ImageStore(Root).OpenDestination(Reference.Parse(name));
        return await ImageCopier.CopyAsync(
            image, destination, platform ?? Amd64, progress ?? new RecordingProgress(), TestContext.Current.CancellationToken);
    }

    public StoredImage? Find(string name, Platform? platform = null) => Images.Find(name, platform);

    public RemovalResult Remove(string name, bool force = false) => Images.Remove(name, force, Containers);

    public string[] FilesBelow(string directory)
    {
        string path = System.IO.Path.Join(Path, directory);
        return Directory.Exists(path)
            ? [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(path, file)).Order()]
            : [];
    }

    public string BlobPath(Digest digest) => System.IO.Path.Join(Path, "blobs", digest.Algorithm, digest.Hex);

    public string LayerPath(Digest diffId) => System.IO.Path.Join(Path, "layers", diffId.Algorithm, diffId.Hex);

    public string PartialPath(Digest digest) => System.IO.Path.Join(Path, "ingest", $"{digest.Algorithm}-{digest.Hex}");

    public void Dispose() => _directory.Delete(recursive: true);

    private static StorageRoot Open(string path) => StorageRoot.Open(path, System.IO.Path.Join(path, "run"), "directory");
}
