namespace OciTool.Tests.Layers.Model;

internal sealed partial class ErofsImage
{
    private readonly Dictionary<long, (string Name, string Value)> _shared = [];

    /// <summary>The attributes behind an inode: numbers of shared ones first, then its own.</summary>
    private void ReadXattrs(FileNode node, Inode inode, string path)
    {
        long inodeStart = (_metaBlock * _blockSize) + (inode.Nid * SlotSize);
        long start = inodeStart + ((U16(At(inodeStart, 2, path)) & 1) != 0 ? 64 : 32);
        if (inode.End == start)
        {
            return;
        }

        int sharedCount = At(start, 12, $"attributes of {path}")[4];
        long at = start + 12 + (4 * sharedCount);
        Demand(at <= inode.End, $"{path} has {sharedCount} shared attributes, for which there is no room");
        for (int i = 0; i < sharedCount; i++)
        {
            uint id = U32(At(start + 12 + (4 * i), 4, $"attributes of {path}"));
            if (!_shared.TryGetValue(id, out (string Name, string Value) xattr))
            {
                xattr = ReadXattr((_xattrBlock * _blockSize) + (4L * id), _image.Length, path, out long end);
                Claim((_xattrBlock * _blockSize) + (4L * id), end - ((_xattrBlock * _blockSize) + (4L * id)), $"shared attribute {id}");
                _shared.Add(id, xattr);
            }

            Demand(node.Xattrs.TryAdd(xattr.Name, xattr.Value), $"{path} has the attribute {xattr.Name} twice");
        }

        while (at < inode.End)
        {
            (string name, string value) = ReadXattr(at, inode.End, path, out at);
            Demand(node.Xattrs.TryAdd(name, value), $"{path} has the attribute {name} twice");
        }

        Demand(at == inode.End, $"the attributes of {path} end at {at}, not at {inode.End}");
        Demand(node.Xattrs.Count > 0, $"{path} has room for attributes, but none");
    }

    /// <summary>An attribute: its name without the prefix that has a number, then its value, filled up to 4 bytes.</summary>
    private (string Name, string Value) ReadXattr(long offset, long limit, string path, out long end)
    {
        ReadOnlySpan<byte> head = At(offset, 4, $"an attribute of {path}");
        int nameLength = head[0];
        int valueLength = U16(head[2..]);
        string prefix = head[1] switch
        {
            1 => "user.",
            2 => "system.posix_acl_access",
            3 => "system.posix_acl_default",
            4 => "trusted.",
            6 => "security.",
            byte index => throw new ErofsException($"an attribute of {path} has the prefix {index}"),
        };
        Demand(nameLength > 0 || head[1] is 2 or 3, $"an attribute of {path} has no name");
        int length = 4 + nameLength + valueLength;
        end = offset + ((length + 3) / 4 * 4);
        Demand(end <= limit, $"an attribute of {path} ends at {end}, behind {limit}");
        ReadOnlySpan<byte> bytes = At(offset + 4, end - offset - 4, $"an attribute of {path}");
        Demand(bytes[(length - 4)..].IndexOfAnyExcept((byte)0) < 0, $"an attribute of {path} is not filled up with zeros");
        return (prefix + Text(bytes[..nameLength]), Text(bytes.Slice(nameLength, valueLength)));
    }
}
