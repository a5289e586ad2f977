using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>A container, its image and its files, for verbs that look at what it has become.</summary>
/// <param name="Record">The container.</param>
/// <param name="Image">The image that it was made of.</param>
/// <param name="Snapshotter">Where its files are.</param>
internal sealed record ContainerTree(ContainerRecord Record, StoredImage Image, OverlaySnapshotter Snapshotter)
{
    /// <summary>Finds a container.</summary>
    /// <param name="root">The store.</param>
    /// <param name="nameOrId">What people type for it.</param>
    /// <exception cref="OciException">There is no such container, or its image is damaged; or this is not root's process.</exception>
    public static ContainerTree Open(StorageRoot root, string nameOrId)
    {
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        ContainerRecord record = containers.Find(nameOrId) ?? throw new ContainerNotFoundException(nameOrId);
        RequireRoot($"read the files of container '{record.Name}'");
        return new ContainerTree(record, ImageOf(images, record), new OverlaySnapshotter(images, containers));
    }

    /// <summary>The image of a container.</summary>
    /// <exception cref="OciException">It is damaged or gone.</exception>
    public static StoredImage ImageOf(ImageStore images, ContainerRecord record) =>
        images.Find(record.ImageId.ToString(), platform: null) ?? throw new ImageNotHereException(record.ImageId.ToString());

    /// <summary>Whether the container has written anything; a container that was never started has no files of its own.</summary>
    public bool HasFiles => Directory.Exists(Snapshotter.UpperOf(Record.Id));

    /// <summary>Mounts the whole tree where nobody else sees it; it cannot be written.</summary>
    /// <exception cref="OciException">The kernel does not mount it.</exception>
    public RootDirectory MountView() => MountView(Snapshotter.View(Record.Id, Image.Config));

    /// <summary>Mounts a tree to be read.</summary>
    /// <exception cref="OciException">The kernel does not mount it.</exception>
    public static RootDirectory MountView(Mount mount)
    {
        try
        {
            return DetachedMount.Create(mount);
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot mount the layers: {e.Message}", e);
        }
    }

    /// <summary>Only root mounts layers.</summary>
    /// <exception cref="OciException">This is not root's process.</exception>
    public static void RequireRoot(string what)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new OciException($"cannot {what}: only root can, for now") { Hint = "run oci with sudo" };
        }
    }
}
