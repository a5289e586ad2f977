using System.Globalization;
using System.Text;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>What a stack of layers has to look like when it is mounted.</summary>
/// <remarks>
/// The defaults are those of <see cref="TarBuilder"/>. Directories that are not named are those that a layer only
/// implies: mode 0755, owner 0:0, time 0.
/// </remarks>
internal sealed class ExpectedTree
{
    /// <summary>The time that <see cref="TarBuilder"/> gives to entries.</summary>
    public const decimal Time = 1_700_000_000;

    private readonly SortedDictionary<string, TreeEntry> _entries = new(StringComparer.Ordinal) { ["."] = new('d', 0x1ed, Modified: 0) };

    /// <summary>The entries by path.</summary>
    public IReadOnlyDictionary<string, TreeEntry> Entries => _entries;

    public ExpectedTree File(
        string path, string content = "new", uint mode = 0x1a4, long uid = 0, long gid = 0, decimal? mtime = Time, uint? links = 1) =>
        Add(path, new('f', mode, uid, gid, TreeEntry.Text(Encoding.Latin1.GetBytes(content)), mtime, links));

    /// <summary>A file with so much content that only its hash is compared.</summary>
    public ExpectedTree File(string path, byte[] content) => Add(path, new('f', 0x1a4, Content: TreeEntry.Text(content), Modified: Time));

    /// <summary>A file with holes.</summary>
    public ExpectedTree Sparse(string path, byte[] content) =>
        Add(path, new('f', 0x1a4, Content: TreeEntry.Text(content), Modified: Time, HasHoles: true));

    public ExpectedTree Directory(string path, uint mode = 0x1ed, long uid = 0, long gid = 0, decimal? mtime = Time) =>
        Add(path, new('d', mode, uid, gid, Modified: mtime));

    public ExpectedTree Symlink(string path, string target, uint? links = 1, long owner = 0, long group = 0) =>
        Add(path, new('l', 0x1ff, owner, group, target, Time, links));

    public ExpectedTree Fifo(string path, uint mode = 0x1a4) => Add(path, new('p', mode, Modified: Time));

    public ExpectedTree Device(string path, char type, int major, int minor, uint mode = 0x1a4) => Add(
        path, new(type, mode, Content: string.Create(CultureInfo.InvariantCulture, $"{major}:{minor}"), Modified: Time));

    public ExpectedTree Xattr(string path, string name, string value)
    {
        _entries[path].Xattrs.Add(name, TreeEntry.Text(Encoding.Latin1.GetBytes(value)));
        return this;
    }

    /// <summary>Takes away what a lower layer has, with all below it.</summary>
    public ExpectedTree Without(string path)
    {
        foreach (string gone in _entries.Keys.Where(key => key == path || key.StartsWith(path + "/", StringComparison.Ordinal)).ToArray())
        {
            _entries.Remove(gone);
        }

        return this;
    }

    /// <summary>Says where a tree is another, path by path; nothing when it is the same.</summary>
    /// <param name="actual">What was read.</param>
    /// <param name="root">Whether root made it: else owners are one's own, and devices and capabilities are left out.</param>
    /// <param name="holes">Whether the file system tells of holes; EROFS counts them as blocks.</param>
    public IReadOnlyList<string> Differences(IReadOnlyDictionary<string, TreeEntry> actual, bool root, bool holes = true)
    {
        Dictionary<string, TreeEntry> expected = _entries.Where(entry => root || entry.Value.Type is not ('c' or 'b'))
            .ToDictionary(entry => entry.Key, entry => root ? entry.Value : WithoutRoot(entry.Value));
        return
        [
            .. expected.Keys.Except(actual.Keys).Select(path => $"missing {path}"),
            .. actual.Keys.Except(expected.Keys).Select(path => $"superfluous {path}: {actual[path]}"),
            .. expected.Where(entry => actual.TryGetValue(entry.Key, out TreeEntry? other)
                    && !(root ? other : WithoutRoot(other)).Is(holes ? entry.Value : entry.Value with { HasHoles = null }))
                .Select(entry => $"{entry.Key}: expected {entry.Value}, is {actual[entry.Key]}"),
        ];
    }

    private static TreeEntry WithoutRoot(TreeEntry entry) => entry with
    {
        Owner = 0,
        Group = 0,
        Xattrs = new(entry.Xattrs.Where(xattr => xattr.Key.StartsWith("user.", StringComparison.Ordinal)).ToDictionary(), StringComparer.Ordinal),
    };

    private ExpectedTree Add(string path, TreeEntry entry)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            _entries.TryAdd(path[..slash], new('d', 0x1ed, Modified: 0));
        }

        _entries[path] = entry;
        return this;
    }
}
