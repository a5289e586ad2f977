using System.Buffers.Binary;
using OciTool.Linux;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Erofs;

/// <remarks>Hard links: a file that is written already gets another name, and what the link's header says of it.</remarks>
internal sealed partial class ErofsWriter
{
    private void MakeHardLink(int directory, ReadOnlySpan<byte> name)
    {
        EntryPath link = _layer.LinkPath;
        if (link.Bytes.SequenceEqual(Path.Bytes))
        {
            throw _layer.Refused("hard link to itself");
        }

        int target = FindLinked(link);
        if (_tree.Find(directory, name) >= 0)
        {
            Replace(directory, name);
            if (_tree.Nodes[target].Type == ErofsType.None) // what made room was what is linked to, or above it
            {
                throw NotFound();
            }
        }

        ErofsType type = _tree.Nodes[target].Type;
        int inode = _tree.Nodes[target].Inode;
        int node = _tree.Add(directory, name, type, inode);
        ChangeLinks(inode, 1);
        if (type == ErofsType.SymbolicLink)
        {
            _tree.Nodes[node].Content = _tree.Nodes[target].Content;
            return; // CVE-2021-32760: what the link points to is not meant
        }

        DescribeLinked(inode, type);
    }

    private int FindLinked(EntryPath link)
    {
        int target = ErofsTree.Root;
        Errno errno = _tree.Walk(link.Parent, followLinks: true, missing: null, out int directory);
        if (errno == Errno.None && !link.IsRoot)
        {
            target = _tree.Find(directory, link.Name[..^1]);
            errno = target < 0 ? Errno.ENOENT : Errno.None;
        }

        if (errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            throw NotFound();
        }

        Demand(errno, "cannot create the hard link");
        return _tree.Nodes[target].Type == ErofsType.Directory ? throw _layer.Refused("hard link to a directory") : target;
    }

    private LayerException NotFound() =>
        _layer.Refused($"hardlink target {LayerException.Quote(Entry.LinkName)} not found in this layer");

    /// <summary>Describes a file once more, by its other name: the last header counts, as in Go's readers.</summary>
    private void DescribeLinked(int index, ErofsType type)
    {
        long offset = _tree.Inodes[index].Offset;
        Span<byte> inode = stackalloc byte[ErofsFormat.InodeSize];
        _output.Read(offset, inode);
        bool otherOwner = ErofsFormat.ReadOwner(inode) != ((uint)Entry.Uid, (uint)Entry.Gid);
        ErofsFormat.WriteAttributes(inode, Attributes(type));
        if (type == ErofsType.RegularFile && (Entry.Xattrs.Count > 0 || otherOwner) && MergedXattrs(index, otherOwner) is { } merged)
        {
            Move(index, inode, merged);
            return;
        }

        _output.Replace(offset, inode);
    }

    /// <summary>The attributes of a file with those of the present entry; null when it has them already.</summary>
    private TarXattr[]? MergedXattrs(int index, bool otherOwner)
    {
        TarXattr[] present = _inodeXattrs.GetValueOrDefault(index, []);
        List<TarXattr> merged = [.. present];
        bool changed = otherOwner // a change of owner takes capabilities away, as chown(2) does
            && merged.RemoveAll(xattr => xattr.Name.AsSpan().SequenceEqual("security.capability\0"u8)) > 0;
        foreach (TarXattr added in TakeXattrs())
        {
            int same = merged.FindIndex(xattr => xattr.Name.AsSpan().SequenceEqual(added.Name));
            if (same < 0)
            {
                merged.Add(added);
            }
            else if (!merged[same].Value.AsSpan().SequenceEqual(added.Value))
            {
                merged[same] = added;
            }
            else
            {
                continue;
            }

            changed = true;
        }

        return changed ? [.. merged] : null;
    }

    /// <summary>Writes an inode at another place, where there is room for more attributes behind it.</summary>
    private void Move(int index, ReadOnlySpan<byte> old, TarXattr[] xattrs)
    {
        (long size, uint place, bool inline, int xattrSize) = ErofsFormat.ReadLayout(old);
        int tail = inline ? (int)(size & (ErofsFormat.BlockSize - 1)) : 0;
        long offset = _tree.Inodes[index].Offset + ErofsFormat.InodeSize + xattrSize;
        _output.Read(offset, _tail.AsSpan(0, tail));
        byte[] encoded = _xattrs.Encode(xattrs);
        if (inline && ErofsFormat.InodeSize + encoded.Length + tail > ErofsFormat.BlockSize)
        {
            place = CopyData(place, size - tail, tail);
            tail = 0;
        }

        uint links = _tree.Inodes[index].Links;
        int length = Fill(Attributes(ErofsType.RegularFile), size, place, encoded, _tail.AsSpan(0, tail), index, links);
        _tree.Inodes[index] = new(_output.Pack(_inode.AsSpan(0, length)), links);
        _inodeXattrs[index] = xattrs;
    }

    /// <summary>Writes a file's data once more, all in blocks: its inode has no room for the end of them any longer.</summary>
    /// <returns>The first block.</returns>
    private uint CopyData(uint place, long whole, int tail)
    {
        uint copy = (uint)(_output.Position >> ErofsFormat.BlockBits);
        byte[] block = new byte[ErofsFormat.BlockSize];
        for (long done = 0; done < whole; done += block.Length)
        {
            _output.Read(((long)place << ErofsFormat.BlockBits) + done, block);
            _output.Append(block);
        }

        _output.Append(_tail.AsSpan(0, tail));
        _output.AppendPadding();
        return copy;
    }

    private void ChangeLinks(int index, int change)
    {
        ref ErofsInode inode = ref _tree.Inodes[index];
        inode.Links = (uint)(inode.Links + change);
        _replaced += inode.Links == 0 ? 1 : 0;
        Span<byte> links = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(links, inode.Links);
        _output.Replace(inode.Offset + ErofsFormat.LinksOffset, links);
    }
}
