using OciTool.Linux;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Erofs;

/// <summary>A name in a directory.</summary>
internal struct ErofsNode
{
    /// <summary>What it leads to; <see cref="ErofsType.None"/> when it was removed.</summary>
    public ErofsType Type;

    /// <summary>The directory that it is in; the root is in itself.</summary>
    public int Parent;

    /// <summary>Its name, in the tree's arena.</summary>
    public int Name;

    /// <summary>The next name of the same directory, -1 behind the last.</summary>
    public int Next;

    /// <summary>The next node with the same hash, -1 behind the last.</summary>
    public int NextInBucket;

    /// <summary>A directory's first name, or -1; a symbolic link's target, in the arena.</summary>
    public int Content;

    /// <summary>The index of the directory's description, or of the inode of everything else.</summary>
    public int Inode;
}

/// <summary>An inode that is written.</summary>
/// <param name="Offset">Where in the file.</param>
/// <param name="Links">How many names lead to it.</param>
internal record struct ErofsInode(long Offset, uint Links);

/// <summary>What is known of a directory, whose inode is written last.</summary>
internal struct ErofsDirectory
{
    public ErofsAttributes Attributes;
    public TarXattr[]? Xattrs;
    public int Entries;
    public int Subdirectories;

    /// <summary>Whether it hides what lower layers have in it.</summary>
    public bool IsOpaque;

    /// <summary>Whether whiteouts are in it.</summary>
    public bool HasWhiteouts;

    /// <summary>The size of its entries in bytes, once they are laid out.</summary>
    public long Size;

    /// <summary>Where its inode will be, once that is laid out.</summary>
    public long Offset;

    /// <summary>The block at which its entries start that do not follow the inode.</summary>
    public uint Block;

    /// <summary>Whether the last part of its entries follows the inode.</summary>
    public bool Inline;

    /// <summary>How many blocks of its own its entries take.</summary>
    public readonly long OwnBlocks => Inline
        ? Size >> ErofsFormat.BlockBits
        : (Size + ErofsFormat.BlockSize - 1) >> ErofsFormat.BlockBits;
}

/// <summary>The names of a layer: what a directory tree would be if it were written to a file system.</summary>
/// <remarks>Some 60 bytes and the name for each entry, so that a million entries fit where a container engine may run.</remarks>
internal sealed class ErofsTree
{
    /// <summary>The root's node.</summary>
    public const int Root = 0;

    private const int MostLinks = 40; // the kernel's own limit

    private readonly NameArena _arena = new();
    private int[] _buckets = NewBuckets(1024);
    private int _live;

    /// <summary>Creates a tree with nothing but a root.</summary>
    /// <param name="root">The root's attributes.</param>
    public ErofsTree(ErofsAttributes root)
    {
        Nodes.Add(new ErofsNode { Type = ErofsType.Directory, Next = -1, NextInBucket = -1, Content = -1, Inode = 0, Name = _arena.Add([]) });
        Directories.Add(new ErofsDirectory { Attributes = root });
    }

    /// <summary>All names.</summary>
    public ChunkedList<ErofsNode> Nodes { get; } = new();

    /// <summary>All directories.</summary>
    public ChunkedList<ErofsDirectory> Directories { get; } = new();

    /// <summary>All inodes but the directories'.</summary>
    public ChunkedList<ErofsInode> Inodes { get; } = new();

    /// <summary>The name of a node.</summary>
    public ReadOnlySpan<byte> NameOf(int node) => _arena[Nodes[node].Name];

    /// <summary>What a symbolic link says.</summary>
    public ReadOnlySpan<byte> TargetOf(int node) => _arena[Nodes[node].Content];

    /// <summary>The description of a directory.</summary>
    public ref ErofsDirectory DirectoryOf(int node) => ref Directories[Nodes[node].Inode];

    /// <summary>Finds a name.</summary>
    /// <returns>Its node, or -1.</returns>
    public int Find(int directory, ReadOnlySpan<byte> name)
    {
        int node = _buckets[Bucket(directory, name)];
        while (node >= 0 && (Nodes[node].Parent != directory || !NameOf(node).SequenceEqual(name)))
        {
            node = Nodes[node].NextInBucket;
        }

        return node;
    }

    /// <summary>Adds a name that the directory does not have.</summary>
    /// <param name="directory">The directory's node.</param>
    /// <param name="name">The name.</param>
    /// <param name="type">What it leads to.</param>
    /// <param name="inode">The index of its inode or directory.</param>
    /// <returns>Its node.</returns>
    public int Add(int directory, ReadOnlySpan<byte> name, ErofsType type, int inode)
    {
        if (_live == _buckets.Length)
        {
            Grow();
        }

        int bucket = Bucket(directory, name);
        int node = Nodes.Add(new ErofsNode
        {
            Type = type,
            Parent = directory,
            Name = _arena.Add(name),
            Next = Nodes[directory].Content,
            NextInBucket = _buckets[bucket],
            Content = -1,
            Inode = inode,
        });
        _buckets[bucket] = node;
        Nodes[directory].Content = node;
        _live++;
        ref ErofsDirectory parent = ref DirectoryOf(directory);
        parent.Entries++;
        parent.Subdirectories += type == ErofsType.Directory ? 1 : 0;
        return node;
    }

    /// <summary>Adds a directory.</summary>
    public int AddDirectory(int directory, ReadOnlySpan<byte> name, ErofsAttributes attributes) =>
        Add(directory, name, ErofsType.Directory, Directories.Add(new ErofsDirectory { Attributes = attributes }));

    /// <summary>Says where a symbolic link leads.</summary>
    public void SetTarget(int node, ReadOnlySpan<byte> target) => Nodes[node].Content = _arena.Add(target);

    /// <summary>Removes a name and all below it.</summary>
    /// <param name="node">Its node.</param>
    /// <param name="inodeLost">Told each inode that has one name less.</param>
    public void Remove(int node, Action<int> inodeLost)
    {
        Stack<int> left = new([node]);
        while (left.TryPop(out int next))
        {
            ref ErofsNode removed = ref Nodes[next];
            if (removed.Type == ErofsType.None)
            {
                continue;
            }

            if (removed.Type == ErofsType.Directory)
            {
                for (int child = removed.Content; child >= 0; child = Nodes[child].Next)
                {
                    left.Push(child);
                }
            }
            else
            {
                inodeLost(removed.Inode);
            }

            Unlink(next);
            ref ErofsDirectory parent = ref DirectoryOf(removed.Parent);
            parent.Entries--;
            parent.Subdirectories -= removed.Type == ErofsType.Directory ? 1 : 0;
            removed.Type = ErofsType.None;
        }
    }

    /// <summary>Finds a directory by a path below the root; symbolic links cannot lead out of it.</summary>
    /// <param name="path">Components between slashes.</param>
    /// <param name="followLinks">Whether symbolic links are followed.</param>
    /// <param name="missing">The attributes of what is missing and made; null where nothing is made.</param>
    /// <param name="node">The directory's node, when the result is no error.</param>
    public Errno Walk(ReadOnlySpan<byte> path, bool followLinks, ErofsAttributes? missing, out int node)
    {
        node = Root;
        int links = 0;
        byte[]? joined = null;
        while (!path.IsEmpty)
        {
            int end = path.IndexOf((byte)'/');
            ReadOnlySpan<byte> name = end < 0 ? path : path[..end];
            path = end < 0 ? [] : path[(end + 1)..];
            if (name.IsEmpty || name.SequenceEqual("."u8))
            {
                continue;
            }

            if (name.SequenceEqual(".."u8))
            {
                node = Nodes[node].Parent;
                continue;
            }

            if (name.Length > ErofsFormat.MaxNameLength)
            {
                return Errno.ENAMETOOLONG;
            }

            int found = Find(node, name);
            if (found < 0)
            {
                if (missing is not { } attributes)
                {
                    return Errno.ENOENT;
                }

                found = AddDirectory(node, name, attributes);
            }

            switch (Nodes[found].Type)
            {
                case ErofsType.Directory:
                    node = found;
                    break;
                case ErofsType.SymbolicLink when !followLinks || ++links > MostLinks:
                    return Errno.ELOOP;
                case ErofsType.SymbolicLink:
                    ReadOnlySpan<byte> target = TargetOf(found);
                    node = target is [(byte)'/', ..] ? Root : node;
                    joined = [.. target, (byte)'/', .. path];
                    path = joined;
                    break;
                default:
                    return Errno.ENOTDIR;
            }
        }

        return Errno.None;
    }

    private static int[] NewBuckets(int count)
    {
        int[] buckets = new int[count];
        Array.Fill(buckets, -1);
        return buckets;
    }

    private int Bucket(int directory, ReadOnlySpan<byte> name)
    {
        HashCode hash = default; // seeded anew in each process: names cannot be chosen to collide
        hash.Add(directory);
        hash.AddBytes(name);
        return hash.ToHashCode() & (_buckets.Length - 1);
    }

    private void Unlink(int node)
    {
        ref int link = ref _buckets[Bucket(Nodes[node].Parent, NameOf(node))];
        while (link != node)
        {
            link = ref Nodes[link].NextInBucket;
        }

        link = Nodes[node].NextInBucket;
        _live--;
    }

    private void Grow()
    {
        _buckets = NewBuckets(_buckets.Length * 2);
        for (int node = 1; node < Nodes.Count; node++)
        {
            ref ErofsNode moved = ref Nodes[node];
            if (moved.Type != ErofsType.None)
            {
                ref int bucket = ref _buckets[Bucket(moved.Parent, NameOf(node))];
                moved.NextInBucket = bucket;
                bucket = node;
            }
        }
    }
}
