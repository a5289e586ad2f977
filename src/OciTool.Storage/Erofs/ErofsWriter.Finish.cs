using System.Buffers;
using OciTool.Linux;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Erofs;

internal sealed partial class ErofsWriter
{
    private const int Itself = -1;
    private const int ItsParent = -2;

    // behind the superblock: a superblock has only 16 bits to say where the root is
    private const int RootOffset = ErofsFormat.SuperblockOffset + ErofsFormat.SuperblockSize;

    // what they mean to overlayfs: see DirectoryWriter.Mark
    private static readonly TarXattr Opaque = new("trusted.overlay.opaque\0"u8.ToArray(), "y"u8.ToArray());
    private static readonly TarXattr Origin = new("trusted.overlay.origin\0"u8.ToArray(), []);

    /// <inheritdoc/>
    public void Finish()
    {
        TakeWhiteouts();
        _output.ClosePacked();
        List<int> directories = [];
        for (int node = 0; node < _tree.Nodes.Count; node++)
        {
            if (_tree.Nodes[node].Type == ErofsType.Directory)
            {
                Sort(node);
                directories.Add(node);
            }
        }

        byte[][] xattrs = [.. directories.Select(EncodeXattrs)];
        LayOut(directories, xattrs);
        WriteDirectoryInodes(directories, xattrs);
        WriteDirectoryBlocks(directories);
        uint xattrBlock = (uint)(_output.Position >> ErofsFormat.BlockBits);
        _output.Append(_xattrs.Shared);
        _output.AppendPadding();
        ErofsFormat.WriteSuperblock(
            _firstBlock,
            RootOffset,
            _tree.Inodes.Count - _replaced + directories.Count,
            (uint)(_output.Position >> ErofsFormat.BlockBits),
            xattrBlock);
        _output.Finish(_firstBlock);
    }

    private byte[] EncodeXattrs(int node)
    {
        ErofsDirectory directory = _tree.DirectoryOf(node);
        return _xattrs.Encode(
        [
            .. directory.Xattrs ?? [],
            .. (ReadOnlySpan<TarXattr>)(directory.IsOpaque ? [Opaque] : []),
            .. (ReadOnlySpan<TarXattr>)(directory.HasWhiteouts ? [Origin] : []),
        ]);
    }

    private void TakeWhiteouts()
    {
        foreach (byte[] path in _layer.Whiteouts.Opaque)
        {
            Errno errno = _tree.Walk(path.AsSpan(0, path.Length - 1), followLinks: false, Implicit, out int directory);
            if (errno is not (Errno.ELOOP or Errno.ENOTDIR)) // as a file or link it hides lower content anyway
            {
                Demand(path, errno);
                _tree.DirectoryOf(directory).IsOpaque = true;
            }
        }

        foreach (byte[] path in _layer.Whiteouts.Hidden)
        {
            Hide(path.AsSpan(0, path.Length - 1));
        }
    }

    private void Hide(ReadOnlySpan<byte> path)
    {
        if (_layer.Whiteouts.OpaqueRoot || IsBelowOpaque(path))
        {
            return; // a whiteout where no lower content is merged would be listed as a file of no substance
        }

        int slash = path.LastIndexOf((byte)'/');
        Errno errno = _tree.Walk(path[..Math.Max(slash, 0)], followLinks: false, Implicit, out int directory);
        if (errno is Errno.ELOOP or Errno.ENOTDIR)
        {
            return; // its directory is none in this layer, so nothing of lower layers is seen there
        }

        Demand(path, errno);
        ReadOnlySpan<byte> name = path[(slash + 1)..];
        int node = _tree.Find(directory, name);
        if (node < 0)
        {
            Demand(path, name.Length > ErofsFormat.MaxNameLength ? Errno.ENAMETOOLONG : Errno.None);
            AddWhiteout(directory, name);
        }
        else if (_tree.Nodes[node].Type == ErofsType.Directory)
        {
            _tree.DirectoryOf(node).IsOpaque = true;
        }
    }

    private bool IsBelowOpaque(ReadOnlySpan<byte> path)
    {
        for (int end = path.IndexOf((byte)'/'); end >= 0 && end < path.Length;)
        {
            if (_tree.Walk(path[..end], followLinks: false, missing: null, out int directory) != Errno.None)
            {
                return false;
            }

            if (_tree.DirectoryOf(directory).IsOpaque)
            {
                return true;
            }

            int next = path[(end + 1)..].IndexOf((byte)'/');
            end = next < 0 ? path.Length : end + 1 + next;
        }

        return false;
    }

    /// <summary>Adds the character device 0:0 that overlayfs takes for a whiteout; all whiteouts share one inode.</summary>
    private void AddWhiteout(int directory, ReadOnlySpan<byte> name)
    {
        if (_whiteout < 0)
        {
            _whiteout = Pack(new ErofsAttributes(ErofsType.CharacterDevice, 0, 0, 0, default), size: 0, place: 0, xattrs: [], tail: []);
        }
        else
        {
            ChangeLinks(_whiteout, 1);
        }

        _tree.Add(directory, name, ErofsType.CharacterDevice, _whiteout);
        _tree.DirectoryOf(directory).HasWhiteouts = directory != ErofsTree.Root; // which is merged always
    }

    /// <summary>Puts a directory's names in the order of their bytes, in which the kernel searches them.</summary>
    private void Sort(int directory)
    {
        ref ErofsDirectory description = ref _tree.DirectoryOf(directory);
        int[] rented = ArrayPool<int>.Shared.Rent(description.Entries);
        Span<int> children = rented.AsSpan(0, description.Entries);
        int count = 0;
        for (int child = _tree.Nodes[directory].Content; child >= 0; child = _tree.Nodes[child].Next)
        {
            if (_tree.Nodes[child].Type != ErofsType.None)
            {
                children[count++] = child;
            }
        }

        children.Sort((left, right) => _tree.NameOf(left).SequenceCompareTo(_tree.NameOf(right)));
        int next = -1;
        for (int i = count - 1; i >= 0; i--)
        {
            _tree.Nodes[children[i]].Next = next;
            next = children[i];
        }

        _tree.Nodes[directory].Content = next;
        ArrayPool<int>.Shared.Return(rented);
    }

    /// <summary>Finds out how long each directory is, and where its inode and its entries will lie.</summary>
    private void LayOut(List<int> directories, byte[][] xattrs)
    {
        long offset = _output.Position;
        for (int i = 0; i < directories.Count; i++)
        {
            int node = directories[i];
            ref ErofsDirectory directory = ref _tree.DirectoryOf(node);
            directory.Size = SizeOf(node);
            int inode = ErofsFormat.InodeSize + xattrs[i].Length;
            int tail = (int)(directory.Size & (ErofsFormat.BlockSize - 1));
            int room = ErofsFormat.BlockSize - (node == ErofsTree.Root ? RootOffset : 0);
            directory.Inline = tail > 0 && inode + tail <= room;
            if (node == ErofsTree.Root)
            {
                directory.Offset = inode <= room ? RootOffset : throw new LayerException("the extended attributes of its root are too large");
                continue;
            }

            int length = inode + (directory.Inline ? tail : 0);
            if (length > ErofsFormat.BlockSize - (offset & (ErofsFormat.BlockSize - 1)))
            {
                offset = (offset + ErofsFormat.BlockSize - 1) & -ErofsFormat.BlockSize;
            }

            directory.Offset = offset;
            offset = (offset + length + ErofsFormat.InodeUnit - 1) & -ErofsFormat.InodeUnit;
        }

        long block = (offset + ErofsFormat.BlockSize - 1) >> ErofsFormat.BlockBits;
        foreach (int node in directories)
        {
            ref ErofsDirectory directory = ref _tree.DirectoryOf(node);
            directory.Block = (uint)block;
            block += directory.OwnBlocks;
        }

        if (block << ErofsFormat.BlockBits > MaxPosition)
        {
            throw new LayerException("it is larger than an EROFS file system can be");
        }
    }

    private long SizeOf(int directory)
    {
        long blocks = 0;
        int used = 0;
        foreach (int entry in Entries(directory))
        {
            int need = ErofsFormat.DirentSize + NameOf(entry).Length;
            if (used + need > ErofsFormat.BlockSize)
            {
                blocks++;
                used = 0;
            }

            used += need;
        }

        return (blocks << ErofsFormat.BlockBits) + used;
    }

    private void WriteDirectoryInodes(List<int> directories, byte[][] xattrs)
    {
        byte[] block = new byte[ErofsFormat.BlockSize];
        for (int i = 0; i < directories.Count; i++)
        {
            int node = directories[i];
            ErofsDirectory directory = _tree.DirectoryOf(node);
            int tail = 0;
            foreach (int length in directory.Inline ? Blocks(node, block) : [])
            {
                tail = length; // of the last block, which is what is left in the buffer
            }

            int size = Fill(directory.Attributes, directory.Size, directory.Block, xattrs[i], block.AsSpan(0, tail),
                _tree.Inodes.Count + i, (uint)directory.Subdirectories + 2);
            if (node == ErofsTree.Root)
            {
                _inode.AsSpan(0, size).CopyTo(_firstBlock.AsSpan(RootOffset));
            }
            else
            {
                _output.AppendZeros(directory.Offset - _output.Position);
                _output.Append(_inode.AsSpan(0, size));
            }
        }

        _output.AppendPadding();
    }

    private void WriteDirectoryBlocks(List<int> directories)
    {
        byte[] block = new byte[ErofsFormat.BlockSize];
        foreach (int node in directories)
        {
            long left = _tree.DirectoryOf(node).OwnBlocks;
            foreach (int length in left > 0 ? Blocks(node, block) : [])
            {
                if (left-- > 0)
                {
                    _output.Append(block.AsSpan(0, length));
                    _output.AppendPadding();
                }
            }
        }
    }

    /// <summary>Fills a buffer with one block of a directory after the other.</summary>
    /// <returns>The used length of each.</returns>
    private IEnumerable<int> Blocks(int directory, byte[] block)
    {
        List<int> entries = [];
        int used = 0;
        foreach (int entry in Entries(directory))
        {
            int need = ErofsFormat.DirentSize + NameOf(entry).Length;
            if (used + need > ErofsFormat.BlockSize)
            {
                FillBlock(directory, entries, block);
                yield return ErofsFormat.BlockSize;
                entries.Clear();
                used = 0;
            }

            entries.Add(entry);
            used += need;
        }

        FillBlock(directory, entries, block);
        yield return used;
    }

    private void FillBlock(int directory, List<int> entries, byte[] block)
    {
        block.AsSpan().Clear();
        int name = entries.Count * ErofsFormat.DirentSize;
        for (int i = 0; i < entries.Count; i++)
        {
            int entry = entries[i];
            int node = entry switch
            {
                Itself => directory,
                ItsParent => _tree.Nodes[directory].Parent,
                _ => entry,
            };
            ErofsType type = _tree.Nodes[node].Type;
            long inode = type == ErofsType.Directory ? _tree.DirectoryOf(node).Offset : _tree.Inodes[_tree.Nodes[node].Inode].Offset;
            ErofsFormat.WriteDirent(block.AsSpan(i * ErofsFormat.DirentSize), inode, name, type);
            NameOf(entry).CopyTo(block.AsSpan(name));
            name += NameOf(entry).Length;
        }
    }

    /// <summary>A directory's entries in order, with the two that every directory has among them.</summary>
    private IEnumerable<int> Entries(int directory)
    {
        int pseudo = Itself;
        for (int child = _tree.Nodes[directory].Content; child >= 0; child = _tree.Nodes[child].Next)
        {
            while (pseudo >= ItsParent && NameOf(pseudo).SequenceCompareTo(_tree.NameOf(child)) < 0)
            {
                yield return pseudo--;
            }

            yield return child;
        }

        while (pseudo >= ItsParent)
        {
            yield return pseudo--;
        }
    }

    private ReadOnlySpan<byte> NameOf(int entry) => entry switch
    {
        Itself => "."u8,
        ItsParent => ".."u8,
        _ => _tree.NameOf(entry),
    };

    private static void Demand(ReadOnlySpan<byte> path, Errno errno)
    {
        if (errno != Errno.None)
        {
            throw new LayerException(path, ErrnoException.Describe(errno), offset: -1, new ErrnoException("write", null, errno));
        }
    }
}
