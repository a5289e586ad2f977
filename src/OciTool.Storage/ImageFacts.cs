using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>What lists show of an image, so that they need not read its documents.</summary>
/// <param name="Id">The digest of its config.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Platform">What it runs on.</param>
/// <param name="Size">Its uncompressed size, in bytes.</param>
internal sealed record ImageFacts(Digest Id, Descriptor Manifest, Platform Platform, long Size)
{
    /// <summary>When it was made, as its config has it.</summary>
    public string? Created { get; init; }

    /// <summary>Its labels.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>The file <c>images.json</c>: the images at hand of every manifest or index that <c>index.json</c> lists.</summary>
/// <param name="Version">Always <see cref="CurrentVersion"/>.</param>
/// <param name="Roots">By the digest of the manifest or index.</param>
/// <remarks>
/// A cache: it can be deleted, and is made again from the documents. Nothing that is run or removed is decided by it
/// alone.
/// </remarks>
internal sealed record ImageFactsFile(int Version, Dictionary<string, IReadOnlyList<ImageFacts>> Roots)
{
    internal const int CurrentVersion = 1;

    internal static ImageFactsFile Read(StorageRoot root)
    {
        try
        {
            if (StorageJson.Read(root.FactsFile, StorageJson.Default.ImageFactsFile) is { Version: CurrentVersion } facts)
            {
                return facts;
            }
        }
        catch (OciException)
        {
            // damaged, or unreadable: what it says can be found out
        }

        return new ImageFactsFile(CurrentVersion, []);
    }

    /// <summary>Replaces the file, leaving out what the index lists no more.</summary>
    internal void Write(StorageRoot root, LayoutIndex index)
    {
        HashSet<string> listed = [.. index.Entries.Select(entry => entry.Digest.ToString())];
        foreach (string digest in Roots.Keys.Where(digest => !listed.Contains(digest)).ToArray())
        {
            Roots.Remove(digest);
        }

        root.WriteAtomically(
            root.FactsFile, JsonSerializer.SerializeToUtf8Bytes(this, StorageJson.Relaxed.ImageFactsFile), durably: false);
    }
}
