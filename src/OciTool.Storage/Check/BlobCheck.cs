using System.Buffers;
using System.Security.Cryptography;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Check;

/// <summary>Checks the blobs: that those that images need are there, and that each has the content that its name promises.</summary>
internal sealed class BlobCheck(CheckContext context)
{
    private readonly List<Damage> _found = [];

    /// <summary>What the directory tells; the caller holds the store lock.</summary>
    internal List<Damage> Look()
    {
        foreach ((Digest digest, (long size, string image)) in context.Reached?.Needed ?? [])
        {
            FileInfo file = new(context.Images.Content.Locate(digest));
            if (!file.Exists)
            {
                context.BadBlobs.Add(digest);
                StoreFinding missing = new("blob missing", digest.ToString(), $"{image} needs it");
                _found.Add(new Damage(missing) { Mend = finding => Damage.Left(finding, CheckContext.PullAgain(image).TrimStart(';', ' ')) });
            }
            else if (file.Length != size)
            {
                Damaged(digest, file.FullName, $"{file.Length} bytes instead of {size}");
            }
        }

        foreach ((Digest digest, string path) in Files())
        {
            if (context.IsAbandoned(digest, path))
            {
                StoreFinding unreferenced = new("blob unreferenced", digest.ToString(), "no image needs it");
                _found.Add(new Damage(unreferenced) { Mend = finding => RemoveUnneeded(finding, digest, path) });
            }
        }

        foreach (string partial in Directory.Exists(context.Root.Ingest) ? Directory.EnumerateFiles(context.Root.Ingest) : [])
        {
            string name = Path.GetFileName(partial);
            if (context.IsOld(partial) && !StoreSweep.IsHeld(context.Root, partial))
            {
                StoreFinding abandoned = new("partial download", $"ingest/{name}", "nobody has gone on with it");
                _found.Add(new Damage(abandoned) { Mend = finding => RemovePartial(finding, partial) });
            }
        }

        return _found;
    }

    /// <summary>Hashes all blobs, without a lock.</summary>
    /// <param name="documentsOnly">Leaves out what is larger than manifests and configs may be.</param>
    internal List<Damage> Hash(bool documentsOnly)
    {
        _found.Clear();
        HashSet<Digest> layers = [.. context.Reached?.Layers.Values.Select(layer => layer.Blob.Digest) ?? []];
        Parallel.ForEach(
            Files().Where(file => !context.BadBlobs.Contains(file.Digest) && !(documentsOnly && IsLayer(file, layers))).ToArray(),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(4, Environment.ProcessorCount), CancellationToken = context.Cancellation },
            file =>
            {
                if (Verify(file.Digest, file.Path) is { } wrong)
                {
                    lock (_found)
                    {
                        Damaged(file.Digest, file.Path, wrong);
                    }
                }
            });
        return _found;
    }

    private static bool IsLayer((Digest Digest, string Path) file, HashSet<Digest> layers) =>
        layers.Contains(file.Digest) || new FileInfo(file.Path) is { Exists: true, Length: > Document.MaxSize };

    private void Damaged(Digest digest, string path, string what)
    {
        context.BadBlobs.Add(digest);
        bool isOwn = path == context.Images.Content.PathOf(digest);
        string? image = context.ImageOf(digest);
        FileIdentity.TryOf(path, out FileIdentity seen);
        StoreFinding finding = new("blob damaged", digest.ToString(), what);
        _found.Add(new Damage(finding) { Mend = isOwn ? found => RemoveDamaged(found, path, seen, image) : null });
    }

    /// <summary>What is wrong with the content of a blob; null also when it is gone meanwhile.</summary>
    private string? Verify(Digest digest, string path)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 18);
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            using IncrementalHash hash = digest.CreateHash();
            int read;
            while ((read = file.Read(buffer)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                context.Cancellation.ThrowIfCancellationRequested();
            }

            Digest actual = Digest.Of(hash);
            bool isSame = FileIdentity.TryOf(path, out FileIdentity named) && named == FileIdentity.Of(file.SafeFileHandle);
            return actual == digest || !isSame ? null : $"its content has the digest {actual}";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"unreadable: {e.Message}";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private IEnumerable<(Digest Digest, string Path)> Files() =>
        StoreSweep.Entries(context.Root.Blobs, Directory.EnumerateFiles)
            .SelectMany(entry => entry.Digest is { } digest ? [(digest, entry.Path)] : Array.Empty<(Digest, string)>());

    private StoreFinding RemoveDamaged(StoreFinding finding, string path, FileIdentity seen, string? image)
    {
        using FileLock? held = context.Lock(shared: false);
        if (FileIdentity.TryOf(path, out FileIdentity now) && now == seen)
        {
            File.Delete(path);
        }

        return image is null ? Damage.Mended(finding, "removed") : Damage.Left(finding, $"removed{CheckContext.PullAgain(image)}");
    }

    private StoreFinding RemoveUnneeded(StoreFinding finding, Digest digest, string path)
    {
        using FileLock? held = context.Lock(shared: false);
        if (!StoreSweep.LiveContent(context.Root, context.Images, context.Containers).Blobs.Contains(digest))
        {
            File.Delete(path);
        }

        return Damage.Mended(finding, "removed");
    }

    private StoreFinding RemovePartial(StoreFinding finding, string partial)
    {
        StoreSweep.RemovePartial(context.Root, partial);
        return Damage.Mended(finding, "removed");
    }
}
