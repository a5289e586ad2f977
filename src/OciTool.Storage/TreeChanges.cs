using System.Text;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>What became of a path.</summary>
public enum ChangeKind
{
    /// <summary>It is in the later tree only.</summary>
    Added,

    /// <summary>It is in both, and not the same; a directory also where something below it changed.</summary>
    Changed,

    /// <summary>It is in the earlier tree only; what was below it is not told.</summary>
    Deleted,
}

/// <summary>One difference between two trees.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Path">From the root, with a slash before it; the caller escapes it.</param>
public sealed record TreeChange(ChangeKind Kind, string Path);

/// <summary>Compares two trees by what their file systems say of each file, and without reading content, as podman does.</summary>
public static class TreeChanges
{
    /// <summary>Lists what has to be done to one tree so that it becomes the other.</summary>
    /// <param name="earlier">The one.</param>
    /// <param name="later">The other.</param>
    /// <returns>The changes, by path in the order of its bytes.</returns>
    /// <exception cref="ErrnoException">A tree cannot be read.</exception>
    public static IReadOnlyList<TreeChange> Find(RootDirectory earlier, RootDirectory later)
    {
        SortedDictionary<byte[], State> before = Read(earlier);
        SortedDictionary<byte[], State> after = Read(later);
        SortedDictionary<byte[], ChangeKind> changes = new(ByBytes.Instance);
        foreach ((byte[] path, State state) in after)
        {
            if (!before.TryGetValue(path, out State? former))
            {
                changes[path] = ChangeKind.Added;
            }
            else if (state.DiffersFrom(former))
            {
                changes[path] = ChangeKind.Changed;
            }
        }

        foreach (byte[] path in before.Keys)
        {
            if (!after.ContainsKey(path) && (ParentOf(path) is not { } parent || after.ContainsKey(parent)))
            {
                changes[path] = ChangeKind.Deleted;
            }
        }

        // a directory counts as changed with what is below it
        foreach (byte[] path in changes.Keys.ToArray())
        {
            for (byte[]? parent = ParentOf(path); parent is not null && after.ContainsKey(parent) && changes.TryAdd(parent, ChangeKind.Changed);)
            {
                parent = ParentOf(parent);
            }
        }

        return [.. changes.Where(change => change.Key.Length > 0).Select(change => new TreeChange(change.Value, $"/{Encoding.UTF8.GetString(change.Key)}"))];
    }

    private static byte[]? ParentOf(byte[] path) => path.AsSpan().LastIndexOf((byte)'/') is >= 0 and var slash ? path[..slash] : null;

    private static SortedDictionary<byte[], State> Read(RootDirectory tree)
    {
        SortedDictionary<byte[], State> states = new(ByBytes.Instance);
        TreeWalk.Visit(tree, node => states[node.Path] = new State(
            node.Status,
            node.Status.IsDirectory ? 0 : node.Size,
            node.Status.IsDirectory ? default : node.Modified,
            node.Device,
            node.Status.IsRegularFile ? CapabilityOf(node) : null));
        return states;
    }

    private static string? CapabilityOf(TreeNode node)
    {
        foreach ((byte[] name, byte[] value) in node.ReadXattrs())
        {
            if (name.AsSpan().SequenceEqual("security.capability"u8))
            {
                return Convert.ToHexString(value);
            }
        }

        return null;
    }

    private sealed record State(FileStatus Status, long Size, FileTime Modified, (uint Major, uint Minor) Device, string? Capability)
    {
        // an archive may have cut the fraction of a second off
        public bool DiffersFrom(State other) => Status != other.Status || Size != other.Size || Device != other.Device || Capability != other.Capability
            || Modified.Seconds != other.Modified.Seconds
            || (Modified.Nanoseconds != other.Modified.Nanoseconds && Modified.Nanoseconds != 0 && other.Modified.Nanoseconds != 0);
    }

    private sealed class ByBytes : IComparer<byte[]>
    {
        public static readonly ByBytes Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
