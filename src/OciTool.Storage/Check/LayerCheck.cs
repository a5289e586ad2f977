using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Storage.Check;

/// <summary>Checks the applied layers: their records, their trees, and whether a tree is what the layer's blob gives.</summary>
internal sealed class LayerCheck(CheckContext context)
{
    private readonly List<Damage> _found = [];
    private readonly HashSet<Digest> _damaged = [];

    private LayerStore Layers => context.Images.Layers;

    /// <summary>What the directories tell; the caller holds the store lock.</summary>
    internal List<Damage> Look()
    {
        foreach ((Digest diffId, (Descriptor _, string image)) in context.Reached?.Layers ?? [])
        {
            if (!Directory.Exists(Layers.Locate(diffId)))
            {
                Damaged(diffId, "layer missing", $"{image} needs it");
            }
        }

        foreach (Digest diffId in Stored())
        {
            if (LookAt(diffId) is { } wrong)
            {
                Damaged(diffId, "layer damaged", wrong);
            }
            else if (context.IsAbandoned(diffId, LayerStore.RecordIn(Layers.DirectoryOf(diffId))))
            {
                StoreFinding unreferenced = new("layer unreferenced", diffId.ToString(), "no image needs it");
                _found.Add(new Damage(unreferenced) { Order = RepairOrder.Layers, Mend = finding => RemoveUnneeded(finding, diffId) });
            }
        }

        return _found;
    }

    /// <summary>Applies every layer again from its blob, without a lock, and compares.</summary>
    internal List<Damage> Compare()
    {
        _found.Clear();
        if (context.Reached is null)
        {
            return _found;
        }

        if (!context.Root.IsReadOnly && !Directory.Exists(context.Root.Temporary))
        {
            return _found;
        }

        context.Root.EnsureContainersWritable();
        Parallel.ForEach(
            Stored().Where(diffId => !_damaged.Contains(diffId) && context.Reached.Layers.ContainsKey(diffId)).ToArray(),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(4, Environment.ProcessorCount), CancellationToken = context.Cancellation },
            diffId =>
            {
                if (CompareOne(diffId, context.Reached.Layers[diffId].Blob) is { } wrong)
                {
                    lock (_found)
                    {
                        Damaged(diffId, "layer damaged", $"content modified: {Printable.Escape(wrong)}");
                    }
                }
            });
        return _found;
    }

    private string? LookAt(Digest diffId)
    {
        string directory = Layers.DirectoryOf(diffId);
        LayerRecord? record;
        try
        {
            record = StorageJson.Read(LayerStore.RecordIn(directory), LayerRecord.Read);
        }
        catch (OciException e)
        {
            return e.Message;
        }

        if (record is null)
        {
            return Directory.Exists(directory) ? "layer.json is missing" : null;
        }

        if (record.Applied.DiffId != diffId)
        {
            return $"layer.json is of layer {record.Applied.DiffId}";
        }

        string tree = Path.Join(directory, LayerApplier.NameOf(record.Applied.Form));
        if (!(record.Applied.Form == SnapshotForm.Erofs ? File.Exists(tree) : Directory.Exists(tree)))
        {
            return $"data missing: {Path.GetFileName(tree)} is not there";
        }

        string? stray = Directory.EnumerateFileSystemEntries(directory)
            .Select(Path.GetFileName).FirstOrDefault(name => name != "layer.json" && name != Path.GetFileName(tree));
        return stray is null ? null : $"{Printable.Shorten(stray)} does not belong to it";
    }

    private string? CompareOne(Digest diffId, Descriptor blob)
    {
        string directory = Layers.DirectoryOf(diffId);
        if (context.BadBlobs.Contains(blob.Digest) || !FileIdentity.TryOf(directory, out FileIdentity before)
            || StorageJson.Read(LayerStore.RecordIn(directory), LayerRecord.Read) is not { Revision: LayerRecord.CurrentRevision } record)
        {
            return null;
        }

        string? wrong;
        try
        {
            using TemporaryDirectory place = new(context.Root);
            using Stream content = context.Images.Content.OpenRead(blob);
            using StoredBlobStream stream = new(content, blob.Digest, context.Cancellation);
            AppliedLayer fresh = LayerApplier.Apply(stream, place.Path, record.Applied.Form, diffId, new LayerLimits(), _ => { });
            string tree = Path.Join(directory, LayerApplier.NameOf(record.Applied.Form));
            wrong = fresh != record.Applied ? "layer.json says something else than its blob"
                : fresh.Form == SnapshotForm.Directory ? TreeComparison.Find(tree, LayerStore.TreeIn(place, fresh.Form))
                : CompareFiles(tree, LayerStore.TreeIn(place, fresh.Form));
        }
        catch (Exception e) when (e is OciException or IOException && !IsThere(directory, before))
        {
            return null; // removed meanwhile, by somebody who may
        }
        catch (Exception e) when (e is OciException or IOException && StoreFullException.IsCausedBy(e))
        {
            throw new OciException($"cannot check layer {diffId}: no space left to apply it again", e) { Hint = "add --quick" };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            wrong = $"unreadable: {e.Message}";
        }
        catch (OciException)
        {
            return null; // its blob cannot be read: that is another finding
        }

        return wrong is not null && IsThere(directory, before) ? wrong : null;
    }

    private static bool IsThere(string directory, FileIdentity before) =>
        FileIdentity.TryOf(directory, out FileIdentity now) && now == before;

    // our writer is deterministic: one archive gives one file
    private static string? CompareFiles(string actual, string expected)
    {
        using FileStream left = new(actual, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        using FileStream right = new(expected, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        if (left.Length != right.Length)
        {
            return $"{left.Length} bytes instead of {right.Length}";
        }

        byte[] one = new byte[1 << 17];
        byte[] other = new byte[1 << 17];
        for (long offset = 0; offset < left.Length;)
        {
            int read = left.ReadAtLeast(one, one.Length, throwOnEndOfStream: false);
            int second = right.ReadAtLeast(other, other.Length, throwOnEndOfStream: false);
            int same = one.AsSpan(0, read).CommonPrefixLength(other.AsSpan(0, second));
            if (same < read || read == 0)
            {
                return $"layer.erofs has other bytes at {offset + same}";
            }

            offset += read;
        }

        return null;
    }

    private void Damaged(Digest diffId, string kind, string what)
    {
        _damaged.Add(diffId);
        _found.Add(new Damage(new StoreFinding(kind, diffId.ToString(), what))
        {
            Order = RepairOrder.Layers,
            Mend = finding => MakeAgain(finding, diffId),
        });
    }

    private IEnumerable<Digest> Stored() =>
        StoreSweep.Entries(context.Root.Layers, Directory.EnumerateDirectories).Select(entry => entry.Digest).OfType<Digest>();

    private StoreFinding MakeAgain(StoreFinding finding, Digest diffId)
    {
        if (!context.Options.Force && UserOf(diffId) is { } user)
        {
            return Damage.Left(finding, $"container {user} runs on it: stop it, or add --force");
        }

        using TemporaryDirectory place = new(context.Root);
        if (context.Reached!.Layers.TryGetValue(diffId, out (Descriptor Blob, string Image) needed)
            && !context.BadBlobs.Contains(needed.Blob.Digest) && Apply(place, needed.Blob, diffId))
        {
            using FileLock? held = context.Lock(shared: false);
            Layers.Replace(place, diffId);
            return Damage.Mended(finding, "made again from its blob");
        }

        Discard(diffId);
        return needed.Image is null
            ? Damage.Mended(finding, "removed")
            : Damage.Left(finding, $"removed{CheckContext.PullAgain(needed.Image)}");
    }

    private bool Apply(TemporaryDirectory place, Descriptor blob, Digest diffId)
    {
        try
        {
            using Stream content = context.Images.Content.OpenRead(blob);
            using StoredBlobStream stream = new(content, blob.Digest, context.Cancellation);
            LayerStore.WriteRecord(
                LayerApplier.Apply(stream, place.Path, FormOf(diffId), diffId, new LayerLimits(), _ => { }), place);
            DirectoryTree.SyncFileSystem(context.Root.Path);
            return true;
        }
        catch (OciException)
        {
            return false; // the blob is not what it should be
        }
    }

    private SnapshotForm FormOf(Digest diffId)
    {
        string directory = Layers.DirectoryOf(diffId);
        return Directory.Exists(Path.Join(directory, LayerApplier.NameOf(SnapshotForm.Directory))) ? SnapshotForm.Directory : Layers.Form;
    }

    private void Discard(Digest diffId)
    {
        using TemporaryDirectory trash = new(context.Root);
        using FileLock? held = context.Lock(shared: false);
        if (Directory.Exists(Layers.DirectoryOf(diffId)))
        {
            Directory.Move(Layers.DirectoryOf(diffId), Path.Join(trash.Path, "layer"));
        }
    }

    private StoreFinding RemoveUnneeded(StoreFinding finding, Digest diffId)
    {
        using TemporaryDirectory trash = new(context.Root);
        using FileLock? held = context.Lock(shared: false);
        if (!StoreSweep.LiveContent(context.Root, context.Images, context.Containers).DiffIds.Contains(diffId))
        {
            Directory.Move(Layers.DirectoryOf(diffId), Path.Join(trash.Path, "layer"));
        }

        return Damage.Mended(finding, "removed");
    }

    // a file that is mounted stays until it is unmounted; a directory below a running container must not change
    private string? UserOf(Digest diffId)
    {
        if (!Directory.Exists(Path.Join(Layers.DirectoryOf(diffId), LayerApplier.NameOf(SnapshotForm.Directory))))
        {
            return null;
        }

        foreach (ContainerRecord container in context.Containers.ListReadable())
        {
            if (container.State == ContainerState.Running
                && context.Images.Walk.LayersOf(container.ImageDigest).Contains(diffId))
            {
                return container.Name;
            }
        }

        return null;
    }
}
