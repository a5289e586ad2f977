using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>Removes what is not used: the work of the prune verbs.</summary>
/// <param name="root">The store.</param>
/// <param name="filter">What may be removed.</param>
internal sealed class Pruning(StorageRoot root, PruneFilter filter)
{
    private readonly ImageStore _images = new(root);

    private ContainerStore Containers => field ??= new ContainerStore(root, _images);

    /// <summary>How many bytes were removed.</summary>
    public long Freed { get; private set; }

    /// <summary>Removes the containers that do not run.</summary>
    /// <returns>Their IDs.</returns>
    public List<string> RemoveContainers()
    {
        KilledContainers.Settle(Containers);
        List<string> removed = [];
        foreach (ContainerRecord container in Containers.List())
        {
            if (container.State != ContainerState.Running && filter.Matches(container.Created, container.Labels)
                && TryHold(container.Id) is { } held)
            {
                long size = TreeSize.Of(Path.Join(Containers.DirectoryOf(container.Id), "upper"));
                using (held)
                {
                    Containers.Remove(container with { State = ContainerState.Exited });
                }

                Freed += size;
                removed.Add(container.Id);
            }
        }

        return removed;
    }

    // whoever has just made it may be about to start it
    private FileLock? TryHold(string id)
    {
        try
        {
            return Containers.TryHold(id);
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            return null; // somebody else has removed it
        }
    }

    /// <summary>Removes images that no container was made of.</summary>
    /// <param name="all">Also those that have names.</param>
    /// <returns>The IDs of those that are gone.</returns>
    public List<Digest> RemoveImages(bool all)
    {
        List<Digest> removed = [];
        foreach (ImageSummary image in _images.List())
        {
            if (!image.IsReadOnly && (all || image.Names.Count == 0) && filter.Matches(image.Created, image.Labels)
                && _images.RemoveUnused(image, Containers) is { } result)
            {
                Freed += result.Freed;
                removed.AddRange(result.Deleted);
            }
        }

        return removed;
    }

    /// <summary>Removes what nothing needs, when there is no condition that it would have to meet.</summary>
    public void Sweep() => Freed += filter.IsEmpty ? new StoreSweep(root, _images, Containers).Run() : 0;
}
