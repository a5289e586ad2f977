using OciTool.Tests.Layers.Corpus;

namespace OciTool.Tests.Layers;

/// <summary>What overlayfs shows of directories on top of each other (kernel, filesystems/overlayfs.rst), without root.</summary>
internal sealed class OverlayModel
{
    private readonly SortedDictionary<string, TreeEntry> _entries = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, TreeEntry> Entries => _entries;

    /// <summary>Puts a layer on top.</summary>
    /// <param name="layer">All that its directory has.</param>
    /// <param name="hidesAll">Whether the layers below are not mounted at all.</param>
    public void Add(SortedDictionary<string, TreeEntry> layer, bool hidesAll)
    {
        if (hidesAll)
        {
            _entries.Clear();
        }

        foreach ((string path, TreeEntry entry) in layer)
        {
            bool isWhiteout = entry is { Type: 'c', Content: "0:0" };
            if (entry.Type != 'd' || IsMarked(entry, "opaque") || !_entries.TryGetValue(path, out TreeEntry? below) || below.Type != 'd')
            {
                Hide(path);
            }

            if (!isWhiteout)
            {
                _entries[path] = entry with
                {
                    Xattrs = new(entry.Xattrs.Where(xattr => !xattr.Key.Contains(".overlay.", StringComparison.Ordinal)).ToDictionary(), StringComparer.Ordinal),
                };
            }
            else if (path.LastIndexOf('/') is > 0 and int slash && !IsMarked(layer[path[..slash]], "origin"))
            {
                _entries[path] = new('?', 0); // where nothing is merged, overlayfs lists whiteouts unless it is told that there are any
            }
        }
    }

    private static bool IsMarked(TreeEntry directory, string mark) =>
        directory.Xattrs.ContainsKey($"trusted.overlay.{mark}") || directory.Xattrs.ContainsKey($"user.overlay.{mark}");

    private void Hide(string path)
    {
        if (!_entries.ContainsKey(path))
        {
            return; // then nothing is below it either
        }

        foreach (string hidden in _entries.Keys.Where(key => key == path || key.StartsWith(path + "/", StringComparison.Ordinal)).ToArray())
        {
            _entries.Remove(hidden);
        }
    }
}
