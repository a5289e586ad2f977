using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Model;

namespace OciTool.SystemTests.Layers;

/// <summary>A store in which stacks of layers are applied, mounted as a container's root, and read.</summary>
internal sealed class LayerStacks : IDisposable
{
    // in memory, where there is such a place: a disk is slower, and no part of what is compared
    private readonly string _directory = Directory.CreateDirectory(
        Path.Join(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"oci-stacks-{Guid.NewGuid():n}"),
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
    private readonly StorageRoot _root;
    private readonly ImageStore _images;
    private readonly ContainerStore _containers;
    private readonly Func<int, SnapshotForm> _formOf;

    /// <summary>Makes a store.</summary>
    /// <param name="formOf">In which form the layer of an index is kept.</param>
    public LayerStacks(Func<int, SnapshotForm> formOf)
    {
        _formOf = formOf;
        _root = StorageRoot.Open(Path.Join(_directory, "root"), Path.Join(_directory, "run"));
        _root.EnsureWritable();
        _images = new ImageStore(_root);
        _containers = new ContainerStore(_root, _images);
    }

    /// <summary>What a container sees of a stack, and what it must see.</summary>
    /// <remarks>
    /// Two things are known to differ from the specification, and are expected here as they are: a directory that an upper
    /// layer only implies shadows the description of the lower one, and of the root only mode and owner are the image's.
    /// </remarks>
    /// <returns>Empty when that is the same, otherwise the lines that differ.</returns>
    public string Compare(List<List<LayerEntry>> stack)
    {
        FileNode expected = StackModel.Stack(stack.Select(LayerModel.Apply), ImpliedDirectories.ShadowLower);
        DescribeRoot(expected, stack);
        try
        {
            FileNode actual = Mounted(stack);
            actual.Modified = default;
            return TreeText.Difference(TreeText.Of(expected), TreeText.Of(actual));
        }
        catch (Exception e) when (e is IOException or OciException)
        {
            return $"  {e.Message}\n"; // a name that is listed but not there, or a layer that is refused
        }
    }

    private static void DescribeRoot(FileNode root, List<List<LayerEntry>> stack)
    {
        foreach (FileNode own in stack.Select(LayerModel.Apply).Where(own => !own.IsImplied))
        {
            root.Mode = own.Mode; // the topmost that says something
            root.Uid = own.Uid;
            root.Gid = own.Gid;
        }

        root.Modified = default;
        root.Xattrs.Clear();
    }

    public void Dispose() => DirectoryTree.Remove(_directory);

    private FileNode Mounted(List<List<LayerEntry>> stack)
    {
        string container = ContainerStore.NewId();
        try
        {
            Directory.CreateDirectory(_containers.DirectoryOf(container));
            Digest[] diffIds = [.. stack.Select((layer, index) => Applied(layer, _formOf(index)))];
            OverlaySnapshotter snapshotter = new(_images, _containers);
            Mount mount = snapshotter.Prepare(container, new ImageConfig("amd64", "linux", new ImageRootfs("layers", diffIds)));
            using RootDirectory root = DetachedMount.Create(mount);
            return LiveTree.Read(root.Handle);
        }
        finally
        {
            DirectoryTree.Remove(_containers.DirectoryOf(container));
            DirectoryTree.Remove(_root.Layers);
        }
    }

    private Digest Applied(List<LayerEntry> layer, SnapshotForm form)
    {
        byte[] archive = LayerEncoder.Encode(layer);
        Digest diffId = Digest.Of(archive);
        if (!_images.Layers.Contains(diffId))
        {
            using TemporaryDirectory place = new(_root);
            using MemoryStream content = new(archive);
            LayerStore.WriteRecord(LayerApplier.Apply(content, place.Path, form, diffId, new LayerLimits(), _ => { }), place);
            _images.Layers.Publish(place, diffId);
        }

        return diffId;
    }
}
