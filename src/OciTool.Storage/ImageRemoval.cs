using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>Removes names and images: what is collected is what only they reached.</summary>
/// <remarks>
/// Content that no name ever reached, of pulls that broke off, is left: the next pull goes on with it. Layers are moved
/// away under the lock and deleted behind it.
/// </remarks>
internal sealed class ImageRemoval(StorageRoot root, ImageStore images, ImageWalk walk, ContainerStore containers)
{
    private readonly List<string> _untagged = [];
    private readonly HashSet<Digest> _deleted = [];
    private readonly List<Descriptor> _removedRoots = [];
    private readonly HashSet<Digest> _removedManifests = [];
    private long _freed;

    /// <param name="nameOrId">What people type for it.</param>
    /// <param name="force">Removes an image with several names by its ID.</param>
    /// <param name="withContainers">Removes the containers that were made of it.</param>
    internal RemovalResult Run(string nameOrId, bool force, bool withContainers)
    {
        if (images.Resolve(LayoutIndex.Read(root), nameOrId) is not { } present || IsElsewhere(present))
        {
            throw images.Resolve(nameOrId) is null
                ? new ImageNotKnownException(nameOrId)
                : new OciException($"cannot remove image {Printable.Shorten(nameOrId)}: it is in an additional store, which is read-only");
        }

        root.EnsureWritable();
        root.Sweep();
        List<TemporaryDirectory> trash = [];
        try
        {
            using FileLock held = root.Lock(root.LockFile);
            using FileLock heldContainers = root.Lock(root.ContainersLockFile);
            RemoveLocked(nameOrId, force, withContainers, trash);
        }
        finally
        {
            trash.ForEach(place => place.Dispose());
        }

        return new RemovalResult(_untagged, [.. _deleted]) { Freed = _freed };
    }

    // by an ID, images of all stores are found
    private bool IsElsewhere(ImageMatch match) =>
        !match.IsByName && root.Additional.Count > 0 && !LayoutIndex.Read(root).Entries.Any(entry => entry.Digest == match.Root.Digest);

    private void RemoveLocked(string nameOrId, bool force, bool withContainers, List<TemporaryDirectory> trash)
    {
        LayoutIndex index = LayoutIndex.Read(root);
        ImageFactsFile known = ImageFactsFile.Read(root);
        ImageMatch match = images.Resolve(index, nameOrId) ?? throw new ImageNotKnownException(nameOrId);
        if (match.IsByName)
        {
            RemoveName(index, known, match);
        }
        else
        {
            RemoveId(index, known, match, nameOrId, force);
        }

        RequireUnused(withContainers, trash);
        (HashSet<Digest> blobs, HashSet<Digest> diffIds) = Collectable(index);
        try
        {
            Write(index, known);
        }
        catch (IOException e) when (StoreFullException.IsCausedBy(e))
        {
            // a full disk: the layers that go make room. Until the name is gone they can be applied again from their blobs
            foreach (Digest diffId in diffIds)
            {
                File.Delete(Path.Join(images.Layers.DirectoryOf(diffId), "layer.json"));
                DirectoryTree.Remove(images.Layers.DirectoryOf(diffId));
            }

            Write(index, known);
        }

        foreach (Digest blob in blobs)
        {
            FileInfo file = new(images.Content.PathOf(blob));
            _freed += file.Exists ? file.Length : 0;
            file.Delete();
        }

        foreach (Digest diffId in diffIds.Where(diffId => Directory.Exists(images.Layers.DirectoryOf(diffId))))
        {
            _freed += images.Layers.SizeOf(diffId);
            TemporaryDirectory place = new(root);
            trash.Add(place);
            Directory.Move(images.Layers.DirectoryOf(diffId), Path.Join(place.Path, "layer"));
        }
    }

    private void Write(LayoutIndex index, ImageFactsFile known)
    {
        index.Write();
        known.Write(root, index);
    }

    private void RemoveName(LayoutIndex index, ImageFactsFile known, ImageMatch match)
    {
        _untagged.Add(match.Name!);
        bool hasOtherNames = index.Entries.Any(entry => entry.Digest == match.Root.Digest && LayoutIndex.NameOf(entry) != match.Name);
        if (hasOtherNames)
        {
            index.RemoveName(match.Name!);
            return;
        }

        index.RemoveImage(match.Root.Digest);
        _removedRoots.Add(match.Root);
        HashSet<Digest> left = [.. index.Entries.SelectMany(entry => images.FactsOf(known, entry)).Select(facts => facts.Id)];
        _deleted.UnionWith(images.FactsOf(known, match.Root).Select(facts => facts.Id).Where(id => !left.Contains(id)));
    }

    private void RemoveId(LayoutIndex index, ImageFactsFile known, ImageMatch match, string asked, bool force)
    {
        Digest id = walk.Load(match.Manifest ?? match.Root)?.ConfigDocument.Digest ?? throw new ImageNotKnownException(asked);
        Descriptor[] roots = [.. index.Entries
            .Where(entry => images.FactsOf(known, entry).Any(facts => facts.Id == id)).DistinctBy(entry => entry.Digest)];
        string[] names = [.. index.Entries
            .Where(entry => roots.Any(listed => listed.Digest == entry.Digest)).Select(LayoutIndex.NameOf).OfType<string>()];
        if (names.Length > 1 && !force)
        {
            throw new OciException($"unable to delete image \"{id.Hex}\" by ID with more than one tag ([{string.Join(' ', names)}]): please force removal");
        }

        _deleted.Add(id);
        foreach (Descriptor listed in roots)
        {
            ImageFacts[] others = [.. images.FactsOf(known, listed).Where(facts => facts.Id != id)];
            if (others.Length > 0)
            {
                // the name goes on to stand for the other platforms of its index
                _removedManifests.UnionWith(images.FactsOf(known, listed).Where(facts => facts.Id == id).Select(facts => facts.Manifest.Digest));
                _removedRoots.Add(listed.Bare);
                known.Roots[listed.Digest.ToString()] = others;
                continue;
            }

            _untagged.AddRange(index.Entries.Where(entry => entry.Digest == listed.Digest).Select(LayoutIndex.NameOf).OfType<string>());
            index.RemoveImage(listed.Digest);
            _removedRoots.Add(listed.Bare);
        }
    }

    private void RequireUnused(bool withContainers, List<TemporaryDirectory> trash)
    {
        ContainerRecord[] users = _deleted.Count == 0 ? [] : [.. containers.List().Where(container => _deleted.Contains(container.ImageId))];
        if (users.FirstOrDefault(container => !withContainers || container.State == ContainerState.Running) is { } user)
        {
            throw new ImageInUseException(user.Id);
        }

        foreach (Digest id in _deleted)
        {
            if (ImageMounts.IsMounted(root, id))
            {
                throw new ImageInUseException(id);
            }
        }

        foreach (ContainerRecord container in users)
        {
            trash.Add(containers.Discard(container));
        }
    }

    private (HashSet<Digest> Blobs, HashSet<Digest> DiffIds) Collectable(LayoutIndex index)
    {
        HashSet<Digest> blobs = [];
        HashSet<Digest> diffIds = [];
        foreach (Descriptor removed in _removedRoots)
        {
            walk.Reach(removed, without: [], blobs, diffIds);
        }

        if (blobs.Count == 0)
        {
            return (blobs, diffIds);
        }

        HashSet<Digest> live = Lease.ReadAll(root);
        HashSet<Digest> liveLayers = [.. live];
        foreach (Descriptor entry in index.Entries)
        {
            walk.Reach(entry, _removedManifests, live, liveLayers);
        }

        blobs.ExceptWith(live);
        diffIds.ExceptWith(liveLayers);
        return (blobs, diffIds);
    }
}
