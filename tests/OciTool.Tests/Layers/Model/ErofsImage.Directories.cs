namespace OciTool.Tests.Layers.Model;

internal sealed partial class ErofsImage
{
    private const int EntrySize = 12;

    private FileNode ReadDirectory(long nid, long parent, string path)
    {
        Inode inode = ReadInode(nid, path);
        Demand(KindOf(inode, path) == FileKind.Directory, $"{path} is not a directory");
        Demand(_nodes.TryAdd(nid, new FileNode(FileKind.Directory)), $"{path} is a directory with two names");
        Demand(inode.Layout != Chunked, $"{path} is a directory of chunks");
        FileNode node = _nodes[nid];
        Describe(node, inode, path);
        _found[nid] = _found.GetValueOrDefault(nid) + 1; // its name; that of the root is its own ".."
        bool self = false;
        bool up = false;
        string? last = null;
        foreach ((string name, long child, int type) in Entries(ReadData(inode, path), path))
        {
            Demand(last is null || string.CompareOrdinal(last, name) < 0, $"{path}: \"{name}\" is not sorted behind \"{last}\"");
            last = name;
            if (name == ".")
            {
                self = child == nid && type == 2;
                _found[nid]++;
                continue;
            }

            if (name == "..")
            {
                up = child == parent && type == 2;
                if (nid != parent)
                {
                    _found[parent] = _found.GetValueOrDefault(parent) + 1;
                }

                continue;
            }

            string below = (path == "/" ? "/" : path + "/") + name;
            FileNode file = type == 2 ? ReadDirectory(child, nid, below) : ReadFile(child, below);
            Demand(type == TypeOf(file.Kind), $"{below} has type {type} in its directory, and is a {file.Kind}");
            node.Children.Add(name, file);
        }

        Demand(self && up, $"{path} has no right \".\" or \"..\"");
        return node;
    }

    /// <summary>The entries, block by block: those of a block first, then their names.</summary>
    private IEnumerable<(string Name, long Nid, int Type)> Entries(byte[] data, string path)
    {
        for (int start = 0; start < data.Length; start += _blockSize)
        {
            byte[] block = data[start..Math.Min(start + _blockSize, data.Length)];
            Demand(block.Length >= EntrySize, $"{path} has a block of {block.Length} bytes");
            int firstName = U16(block.AsSpan(8));
            Demand(firstName >= EntrySize && firstName % EntrySize == 0 && firstName < block.Length, $"{path}: names start at {firstName}");
            int count = firstName / EntrySize;
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> entry = block.AsSpan(i * EntrySize, EntrySize);
                int from = U16(entry[8..]);
                int to = i + 1 < count ? U16(block.AsSpan(((i + 1) * EntrySize) + 8)) : block.Length;
                Demand(from >= firstName && from < to && to <= block.Length, $"{path}: name {i} from {from} to {to}");
                Demand(i > 0 || from == firstName, $"{path}: the first name starts at {from}");
                Demand(entry[11] == 0, $"{path}: the reserved byte is not 0");
                string name = Text(block.AsSpan(from, to - from));
                if (i + 1 == count)
                {
                    int end = name.IndexOf('\0', StringComparison.Ordinal); // only the last name of a block may be shorter
                    Demand(end < 0 || name[end..].Trim('\0').Length == 0, $"{path}: bytes behind the last name");
                    name = end < 0 ? name : name[..end];
                }

                Demand(name.Length is > 0 and <= 255 && !name.Contains('/') && !name.Contains('\0'), $"{path}: name \"{TreeText.Escape(name)}\"");
                yield return (name, (long)U64(entry), entry[10]);
            }
        }
    }

    private static int TypeOf(FileKind kind) => kind switch
    {
        FileKind.File => 1,
        FileKind.Directory => 2,
        FileKind.CharacterDevice => 3,
        FileKind.BlockDevice => 4,
        FileKind.Fifo => 5,
        _ => 7, // a symbolic link
    };
}
