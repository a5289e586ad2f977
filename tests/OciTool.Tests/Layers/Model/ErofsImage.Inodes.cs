namespace OciTool.Tests.Layers.Model;

internal sealed partial class ErofsImage
{
    private const int SlotSize = 32; // a compact inode; an extended one takes two
    private const int Plain = 0;
    private const int Inline = 2;
    private const int Chunked = 4;

    /// <summary>An inode that may be met by several names.</summary>
    /// <param name="Number">What stat(2) has as st_ino on 32-bit systems.</param>
    /// <param name="Data">Where the raw field, <c>i_u</c>, is to be looked at.</param>
    /// <param name="End">Where the inode and its attributes end; inline data follow.</param>
    private sealed record Inode(
        long Nid, uint Mode, uint Uid, uint Gid, Time Modified, long Size, uint Links, uint Number, int Layout, uint Data, long End);

    private Inode ReadInode(long nid, string path)
    {
        if (_inodes.TryGetValue(nid, out Inode? known))
        {
            return known;
        }

        long offset = (_metaBlock * _blockSize) + (nid * SlotSize);
        ReadOnlySpan<byte> head = At(offset, SlotSize, $"inode {nid} of {path}");
        int format = U16(head);
        bool extended = (format & 1) != 0;
        int layout = (format >> 1) & 7;
        Demand(format >> 4 == 0, $"inode {nid} of {path} has format {format:x}");
        Demand(layout is Plain or Inline or Chunked, $"inode {nid} of {path} has layout {layout}");
        int size = extended ? 64 : 32;
        head = At(offset, size, $"inode {nid} of {path}");
        int xattrCount = U16(head[2..]);
        long xattrSize = xattrCount == 0 ? 0 : 12 + (4 * (xattrCount - 1));
        Inode inode = extended
            ? new(nid, U16(head[4..]), U32(head[24..]), U32(head[28..]), new Time((long)U64(head[32..]), (int)U32(head[40..])),
                (long)U64(head[8..]), U32(head[44..]), U32(head[20..]), layout, U32(head[16..]), offset + size + xattrSize)
            : new(nid, U16(head[4..]), U16(head[24..]), U16(head[26..]), _buildTime,
                U32(head[8..]), U16(head[6..]), U32(head[20..]), layout, U32(head[16..]), offset + size + xattrSize);
        Demand(inode.Modified.Nanoseconds is >= 0 and < 1_000_000_000, $"inode {nid} of {path} has a wrong time");
        Demand(inode.Size >= 0, $"inode {nid} of {path} has a size of {inode.Size}");
        Claim(offset, size + xattrSize, $"inode {nid} of {path}");
        _inodes.Add(nid, inode);
        return inode;
    }

    private static FileKind KindOf(Inode inode, string path) => (inode.Mode & 0xf000) switch
    {
        0x8000 => FileKind.File,
        0x4000 => FileKind.Directory,
        0xa000 => FileKind.SymbolicLink,
        0x2000 => FileKind.CharacterDevice,
        0x6000 => FileKind.BlockDevice,
        0x1000 => FileKind.Fifo,
        _ => throw new ErofsException($"inode {inode.Nid} of {path} is of type {inode.Mode:x}"),
    };

    private FileNode ReadFile(long nid, string path)
    {
        _found[nid] = _found.GetValueOrDefault(nid) + 1;
        if (_nodes.TryGetValue(nid, out FileNode? known))
        {
            return known;
        }

        Inode inode = ReadInode(nid, path);
        FileKind kind = KindOf(inode, path);
        Demand(kind != FileKind.Directory, $"{path} is a directory of another type in its parent");
        bool isDevice = kind is FileKind.CharacterDevice or FileKind.BlockDevice;
        bool hasData = kind is FileKind.File or FileKind.SymbolicLink;
        Demand(hasData || (inode.Size == 0 && inode.Layout == Plain), $"{path} is a special file with data");
        string data = hasData ? Text(ReadData(inode, path)) : "";
        Demand(kind != FileKind.SymbolicLink || (data.Length is > 0 and < 4096 && !data.Contains('\0')), $"{path} is a link of {data.Length} bytes");
        FileNode node = new(kind)
        {
            Content = kind == FileKind.File ? data : "",
            Target = kind == FileKind.SymbolicLink ? data : "",
            Major = isDevice ? (inode.Data >> 8) & 0xfff : 0, // as the kernel's new_encode_dev has it
            Minor = isDevice ? (inode.Data & 0xff) | ((inode.Data >> 12) & 0xfff00) : 0,
        };
        Describe(node, inode, path);
        _nodes.Add(nid, node);
        return node;
    }

    private void Describe(FileNode node, Inode inode, string path)
    {
        node.Mode = inode.Mode & 0xfff;
        node.Uid = inode.Uid;
        node.Gid = inode.Gid;
        node.Modified = inode.Modified;
        ReadXattrs(node, inode, path);
        node.IsOpaque = node.Xattrs.Remove("trusted.overlay.opaque", out string? opaque);
        Demand(opaque is null || (opaque == "y" && node.IsDirectory), $"{path} is opaque, but \"{opaque}\"");
        node.Xattrs.Remove("trusted.overlay.origin");
    }

    /// <summary>The bytes of a file, link or directory.</summary>
    private byte[] ReadData(Inode inode, string path)
    {
        if (inode.Layout == Chunked)
        {
            return ReadChunks(inode, path);
        }

        long start = inode.Data * (long)_blockSize;
        if (inode.Layout == Plain)
        {
            Demand(inode.Size == 0 || inode.Data != 0, $"{path} has no data block");
            long rounded = (inode.Size + _blockSize - 1) / _blockSize * _blockSize;
            byte[] all = inode.Size == 0 ? [] : At(start, rounded, $"data of {path}").ToArray();
            Claim(start, inode.Size == 0 ? 0 : rounded, $"data of {path}");
            Demand(all.AsSpan((int)inode.Size).IndexOfAnyExcept((byte)0) < 0, $"{path} is not filled up with zeros");
            return all[..(int)inode.Size];
        }

        long tail = inode.Size % _blockSize;
        Demand(tail > 0, $"{path} has inline data, but none");
        Demand(inode.End % _blockSize + tail <= _blockSize && inode.End % _blockSize != 0, $"inline data of {path} cross a block");
        long whole = inode.Size - tail;
        Demand(whole == 0 || inode.Data != 0, $"{path} has no data block");
        byte[] data = [.. whole == 0 ? [] : At(start, whole, $"data of {path}"), .. At(inode.End, tail, $"inline data of {path}")];
        Claim(start, whole, $"data of {path}");
        Claim(inode.End, tail, $"inline data of {path}");
        return data;
    }

    /// <summary>Chunks of 2^n blocks, each of which may be a hole.</summary>
    private byte[] ReadChunks(Inode inode, string path)
    {
        int bits = (int)(inode.Data & 0x1f);
        bool indexes = (inode.Data & 0x20) != 0;
        Demand(inode.Data >> 6 == 0, $"chunk format {inode.Data:x} of {path}");
        long chunkSize = (long)_blockSize << bits;
        long count = (inode.Size + chunkSize - 1) / chunkSize;
        long table = (inode.End + (indexes ? 7 : 3)) / (indexes ? 8 : 4) * (indexes ? 8 : 4);
        Claim(table, count * (indexes ? 8 : 4), $"chunks of {path}");
        Demand(inode.Size < 1 << 30, $"{path} is too large for a test");
        byte[] data = new byte[inode.Size];
        for (long i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = At(table + (i * (indexes ? 8 : 4)), indexes ? 8 : 4, $"chunk {i} of {path}");
            uint block = U32(indexes ? entry[4..] : entry);
            Demand(!indexes || U32(entry) == 0, $"chunk {i} of {path} is on another device");
            if (block == uint.MaxValue)
            {
                continue;
            }

            long length = Math.Min(chunkSize, inode.Size - (i * chunkSize));
            long rounded = (length + _blockSize - 1) / _blockSize * _blockSize;
            At(block * (long)_blockSize, rounded, $"chunk {i} of {path}")[..(int)length].CopyTo(data.AsSpan((int)(i * chunkSize)));
            Claim(block * (long)_blockSize, rounded, $"chunk {i} of {path}");
        }

        return data;
    }
}
