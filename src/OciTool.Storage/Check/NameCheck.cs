using System.Text;
using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Check;

/// <summary>Checks the files in the store's root: the layout's version, the names, and what is derived from them.</summary>
internal sealed class NameCheck(StorageRoot root, ImageStore images)
{
    private const string Version = "1.0.0"; // image-spec v1.1, image-layout.md

    /// <summary>What is wrong with <c>oci-layout</c>; null for nothing.</summary>
    internal Damage? LookAtLayout()
    {
        string? wrong = LayoutIsWrong();
        return wrong is null ? null : new Damage(new StoreFinding("layout damaged", "oci-layout", wrong))
        {
            Order = RepairOrder.Names,
            Mend = finding =>
            {
                root.WriteAtomically(root.LayoutFile, StorageRoot.LayoutVersion, durably: true);
                return Damage.Mended(finding, "written again");
            },
        };
    }

    /// <summary>What is wrong with <c>index.json</c>; null for nothing.</summary>
    internal Damage? LookAtIndex(out LayoutIndex? index)
    {
        index = null;
        string wrong;
        try
        {
            index = LayoutIndex.Read(root);
            if (File.Exists(root.IndexFile) || ImageFactsFile.Read(root).Roots.Count == 0)
            {
                return null;
            }

            wrong = "it is missing";
            index = null;
        }
        catch (OciException e)
        {
            wrong = e.Message;
        }

        return new Damage(new StoreFinding("index damaged", "index.json", wrong)) { Order = RepairOrder.Names, Mend = Rebuild };
    }

    /// <summary>Names that are stated twice and not alike.</summary>
    internal IEnumerable<Damage> LookAtNames(LayoutIndex index)
    {
        foreach (Descriptor entry in index.Entries)
        {
            if (entry.Annotations is { } notes
                && notes.TryGetValue(LayoutIndex.ContainerdName, out string? whole) && notes.TryGetValue(LayoutIndex.RefName, out string? name)
                && whole != name && !whole.EndsWith($":{name}", StringComparison.Ordinal))
            {
                StoreFinding finding = new(
                    "index damaged", entry.Digest.ToString(), $"it is called {Printable.Shorten(whole)} and {Printable.Shorten(name)}");
                yield return new Damage(finding) { Order = RepairOrder.Names, Mend = found => TakeNames(found, entry) };
            }
        }
    }

    /// <summary>What <c>images.json</c> says and the documents do not.</summary>
    /// <param name="index">The names.</param>
    /// <param name="contentIsWhole">Whether sizes and platforms can be told from documents and layers.</param>
    internal IEnumerable<Damage> LookAtFacts(LayoutIndex index, bool contentIsWhole)
    {
        ImageFactsFile? known = null;
        string? wrong = null;
        try
        {
            known = StorageJson.Read(root.FactsFile, StorageJson.Default.ImageFactsFile);
            wrong = known is null or { Version: ImageFactsFile.CurrentVersion } ? null : $"version {known.Version} is not known";
        }
        catch (OciException e)
        {
            wrong = e.Message;
        }

        foreach (Descriptor entry in known is null || wrong is not null ? [] : index.Entries.DistinctBy(entry => entry.Digest))
        {
            if (!known!.Roots.TryGetValue(entry.Digest.ToString(), out IReadOnlyList<ImageFacts>? facts))
            {
                continue;
            }

            string image = LayoutIndex.NameOf(entry) ?? entry.Digest.ToString();
            foreach (ImageFacts lost in facts.Where(fact => fact.Manifest.Digest != entry.Digest && !images.Content.Contains(fact.Manifest)))
            {
                StoreFinding finding = new("image incomplete", image, $"manifest {lost.Manifest.Digest} of {Printable.Shorten(lost.Platform.ToString())} is missing");
                yield return new Damage(finding)
                {
                    Order = RepairOrder.Facts,
                    Mend = found => RewriteFacts(found) with { Outcome = $"listed no more{CheckContext.PullAgain(image)}" },
                };
            }

            if (contentIsWhole && !Same(entry, facts))
            {
                wrong ??= $"what it says of {image} is not so";
            }
        }

        if (wrong is not null)
        {
            yield return new Damage(new StoreFinding("facts damaged", "images.json", wrong)) { Order = RepairOrder.Facts, Mend = RewriteFacts };
        }
    }

    private string? LayoutIsWrong()
    {
        try
        {
            using JsonDocument layout = JsonDocument.Parse(File.ReadAllBytes(root.LayoutFile));
            return layout.RootElement.ValueKind == JsonValueKind.Object
                && layout.RootElement.TryGetProperty("imageLayoutVersion", out JsonElement version) && version.ValueEquals(Version)
                ? null
                : $"it does not name the version {Version}";
        }
        catch (FileNotFoundException)
        {
            return "it is missing";
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return Printable.Shorten(e.Message);
        }
    }

    // less than is here is no damage: an image may have been removed from the list by a removal that was killed then
    private bool Same(Descriptor entry, IReadOnlyList<ImageFacts> facts)
    {
        static string Text(ImageFacts image) => JsonSerializer.Serialize(
            new ImageFactsFile(ImageFactsFile.CurrentVersion, new() { ["it"] = [image] }), StorageJson.Relaxed.ImageFactsFile);
        HashSet<string> present = [.. images.Walk.Facts(entry).Select(Text)];
        return facts.Count > 0 ? facts.All(image => present.Contains(Text(image))) : present.Count == 0;
    }

    private StoreFinding RewriteFacts(StoreFinding finding)
    {
        using FileLock held = root.Lock(root.LockFile);
        LayoutIndex index = LayoutIndex.Read(root);
        ImageFactsFile facts = new(ImageFactsFile.CurrentVersion, []);
        foreach (Descriptor entry in index.Entries)
        {
            facts.Roots[entry.Digest.ToString()] = images.Walk.Facts(entry);
        }

        facts.Write(root, index);
        return Damage.Mended(finding, "written again");
    }

    private StoreFinding TakeNames(StoreFinding finding, Descriptor entry)
    {
        using FileLock held = root.Lock(root.LockFile);
        LayoutIndex index = LayoutIndex.Read(root);
        if (LayoutIndex.NameOf(entry) is { } name && index.Find(name) is not null)
        {
            index.RemoveName(name);
            index.Write();
        }

        return Damage.Mended(finding, "the image has no name now: pull it again or tag it");
    }

    /// <summary>Makes the list of names again: of what can be read of it, and of the images that are there.</summary>
    private StoreFinding Rebuild(StoreFinding finding)
    {
        using FileLock held = root.Lock(root.LockFile);
        LayoutIndex rebuilt = LayoutIndex.Empty(root);
        HashSet<Digest> listed = [];
        int names = 0;
        foreach (Descriptor entry in Salvage())
        {
            if (images.Content.Find(entry) is { } document && OtherDocument.TypeOf(document.Bytes) == entry.MediaType
                && LayoutIndex.NameOf(entry) is { } name && Reference.TryParse(name, out _, out _))
            {
                rebuilt.SetName(name, entry);
                listed.Add(entry.Digest);
                names++;
            }
        }

        int nameless = 0;
        foreach (Descriptor entry in ImageRoots())
        {
            if (listed.Add(entry.Digest))
            {
                rebuilt.AddNameless(entry);
                nameless++;
            }
        }

        rebuilt.Write();
        return Damage.Mended(finding, nameless == 0
            ? $"{names} names were read"
            : $"{names} names were read; {nameless} images have none now: pull them again or tag them");
    }

    /// <summary>The entries of a damaged list that are whole by themselves.</summary>
    private List<Descriptor> Salvage()
    {
        List<Descriptor> entries = [];
        if (!File.Exists(root.IndexFile) || new FileInfo(root.IndexFile).Length > Document.MaxSize)
        {
            return entries;
        }

        const string Start = "{\"mediaType\":";
        string text = Encoding.UTF8.GetString(File.ReadAllBytes(root.IndexFile));
        for (int at = text.IndexOf(Start, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Start, at + 1, StringComparison.Ordinal))
        {
            int depth = 0;
            int end = at;
            do
            {
                depth += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
                end++;
            }
            while (depth > 0 && end < text.Length);
            try
            {
                entries.AddRange(ImageIndex.ReadLayout(Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"manifests\":[{text[at..end]}]}}")).Manifests);
            }
            catch (Exception e) when (e is JsonException or OciException or InvalidOperationException or KeyNotFoundException or FormatException)
            {
                // this is where the damage is
            }
        }

        return entries;
    }

    /// <summary>The images whose documents are there: what was listed, or else every manifest and index that no index names.</summary>
    private List<Descriptor> ImageRoots()
    {
        List<Descriptor> found = [];
        HashSet<Digest> below = [];
        Dictionary<string, IReadOnlyList<ImageFacts>> known = ImageFactsFile.Read(root).Roots;
        string directory = Path.Join(root.Blobs, "sha256");
        foreach (string path in Directory.Exists(directory) ? Directory.EnumerateFiles(directory) : [])
        {
            FileInfo file = new(path);
            if (file.Length > Document.MaxSize || !Digest.TryParse($"sha256:{file.Name}", provider: null, out Digest digest)
                || (known.Count > 0 && !known.ContainsKey(digest.ToString())))
            {
                continue;
            }

            byte[] bytes = File.ReadAllBytes(path);
            if (bytes is [(byte)'{', ..] && OtherDocument.TypeOf(bytes) is { } type && Digest.Of(bytes) == digest)
            {
                Descriptor entry = new(type, digest, bytes.Length);
                if (images.Walk.Facts(entry).Count > 0)
                {
                    found.Add(entry);
                    below.UnionWith(MediaTypes.IsIndex(type) ? OtherDocument.DigestsIn(Document.Trust(entry, bytes)) : []);
                }
            }
        }

        return [.. found.Where(entry => !below.Contains(entry.Digest))];
    }
}
