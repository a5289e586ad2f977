using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Erofs;

/// <summary>Writes a layer as one file with an EROFS file system, in one pass while the layer arrives.</summary>
/// <remarks>
/// Data are written as they come, each file's inode behind them. Directories are written last, because only then it is
/// known what is in them, and the first block at the very end: what a crash leaves is not a file system. Memory is held
/// for names, never for content. Paths mean what they mean to <see cref="DirectoryWriter"/>.
/// docs/adr/0011-erofs-layers.md says why the file looks as it does.
/// </remarks>
internal sealed partial class ErofsWriter : ILayerWriter
{
    private const long MaxPosition = (long)uint.MaxValue << ErofsFormat.BlockBits;
    private const int MaxPathLength = 4095; // PATH_MAX less its NUL
    private const int MaxRetainedXattrs = 32 * 1024 * 1024;
    private const int MaxXattrName = 255; // XATTR_NAME_MAX

    private static readonly ErofsAttributes Implicit = new(ErofsType.Directory, 0x1ed, 0, 0, default);

    private readonly LayerReader _layer;
    private readonly Warnings _warnings;
    private readonly ErofsOutput _output;
    private readonly ErofsXattrs _xattrs = new();
    private readonly ErofsTree _tree = new(Implicit);
    private readonly Dictionary<int, TarXattr[]> _inodeXattrs = [];
    private readonly byte[] _tail = new byte[ErofsFormat.BlockSize];
    private readonly byte[] _firstBlock = new byte[ErofsFormat.BlockSize];
    private byte[] _inode = new byte[2 * ErofsFormat.BlockSize];
    private NameBuffer _parentPath;
    private int _parent = -1;
    private long _retainedXattrs;
    private int _replaced; // inodes without a name, which stay in the file
    private int _whiteout = -1;

    /// <summary>Starts to write.</summary>
    /// <param name="path">The file to make; nothing may be there.</param>
    /// <param name="layer">Whose present entry <see cref="Write"/> writes.</param>
    /// <param name="warnings">Where warnings go.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public ErofsWriter(string path, LayerReader layer, Warnings warnings)
    {
        _layer = layer;
        _warnings = warnings;
        _output = new ErofsOutput(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite), path);
        _output.AppendZeros(ErofsFormat.BlockSize); // the first block, which is written last
    }

    private TarEntry Entry => _layer.Entry;

    private EntryPath Path => _layer.Path;

    /// <inheritdoc/>
    public void Write()
    {
        if (Path.Length > MaxPathLength)
        {
            Demand(Errno.ENAMETOOLONG, "cannot enter its directory");
        }

        if (Path.IsRoot)
        {
            Describe(ErofsTree.Root);
            return;
        }

        int directory = Parent();
        ReadOnlySpan<byte> name = Path.Name[..^1];
        if (name.Length > ErofsFormat.MaxNameLength)
        {
            Demand(Errno.ENAMETOOLONG, Entry.Kind == TarEntryKind.Directory ? "cannot create the directory" : "cannot create the file");
        }

        switch (Entry.Kind)
        {
            case TarEntryKind.Directory:
                MakeDirectory(directory, name);
                break;
            case TarEntryKind.HardLink:
                MakeHardLink(directory, name);
                break;
            case TarEntryKind.RegularFile:
                WriteFile(directory, name);
                break;
            default:
                MakeSpecial(directory, name);
                break;
        }

        if (_output.Position > MaxPosition)
        {
            throw _layer.Refused("the layer is larger than an EROFS file system can be");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    private void WriteFile(int directory, ReadOnlySpan<byte> name)
    {
        Replace(directory, name);
        TarXattr[] xattrs = TakeXattrs();
        byte[] encoded = _xattrs.Encode(xattrs);
        uint block = (uint)(_output.Position >> ErofsFormat.BlockBits);
        int tail = Entry.IsSparse ? WriteSparseData() : WriteData();
        int inode = Pack(Attributes(ErofsType.RegularFile), Entry.Size, block, encoded, _tail.AsSpan(0, tail));
        RememberXattrs(inode, xattrs);
        _tree.Add(directory, name, ErofsType.RegularFile, inode);
    }

    /// <summary>Writes the whole blocks of a file, and decides where the rest goes.</summary>
    /// <returns>How much of the data is left for the inode to take along.</returns>
    private int WriteData()
    {
        long left = Entry.Size & -ErofsFormat.BlockSize;
        int tail = 0;
        for (ReadOnlySpan<byte> part = _layer.NextData(out _); !part.IsEmpty; part = _layer.NextData(out _))
        {
            int count = (int)Math.Min(left, part.Length);
            _output.Append(part[..count]);
            left -= count;
            part[count..].CopyTo(_tail.AsSpan(tail));
            tail += part.Length - count;
        }

        return tail;
    }

    /// <summary>Writes a file with holes, which are holes of our file too.</summary>
    private int WriteSparseData()
    {
        long start = _output.Position;
        if (Entry.Size > MaxPosition - start)
        {
            throw _layer.Refused("the layer is larger than an EROFS file system can be");
        }

        for (ReadOnlySpan<byte> part = _layer.NextData(out long offset); !part.IsEmpty; part = _layer.NextData(out offset))
        {
            _output.AppendZeros(start + offset - _output.Position);
            _output.Append(part);
        }

        _output.AppendZeros(start + Entry.Size - _output.Position);
        _output.AppendPadding();
        return 0;
    }

    private void MakeDirectory(int directory, ReadOnlySpan<byte> name)
    {
        int node = _tree.Find(directory, name);
        if (node >= 0 && _tree.Nodes[node].Type != ErofsType.Directory)
        {
            Replace(directory, name);
            node = -1;
        }

        Describe(node >= 0 ? node : _tree.AddDirectory(directory, name, Implicit));
    }

    private void Describe(int node)
    {
        ref ErofsDirectory directory = ref _tree.DirectoryOf(node);
        directory.Attributes = Attributes(ErofsType.Directory);
        directory.Xattrs = TakeXattrs();
    }

    /// <summary>Makes a symbolic link, a FIFO or a device.</summary>
    private void MakeSpecial(int directory, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> target = Entry.Kind == TarEntryKind.SymbolicLink ? Entry.LinkName : [];
        if (target.Length > MaxPathLength)
        {
            Demand(Errno.ENAMETOOLONG, "cannot create it");
        }

        Replace(directory, name);
        if (Entry.Xattrs.Count > 0)
        {
            _warnings.Add(Entry.Name, "extended attributes of a device or fifo are left out");
        }

        (ErofsType type, uint device) = Entry.Kind switch
        {
            TarEntryKind.SymbolicLink => (ErofsType.SymbolicLink, 0u),
            TarEntryKind.Fifo => (ErofsType.Fifo, 0u),
            TarEntryKind.BlockDevice => (ErofsType.BlockDevice, ErofsFormat.DeviceNumber((uint)Entry.DeviceMajor, (uint)Entry.DeviceMinor)),
            _ => (ErofsType.CharacterDevice, ErofsFormat.DeviceNumber((uint)Entry.DeviceMajor, (uint)Entry.DeviceMinor)),
        };
        ErofsAttributes attributes = Attributes(type);
        if (type == ErofsType.SymbolicLink)
        {
            attributes = attributes with { Mode = 0x1ff }; // as symlink(2) makes them
        }

        int inode = Pack(attributes, target.Length, device, [], target);
        int node = _tree.Add(directory, name, type, inode);
        if (type == ErofsType.SymbolicLink)
        {
            _tree.SetTarget(node, target);
        }
    }

    /// <summary>Makes room for the present entry, if the layer had its name before.</summary>
    private void Replace(int directory, ReadOnlySpan<byte> name)
    {
        int node = _tree.Find(directory, name);
        if (node >= 0)
        {
            _warnings.Add(Entry.Name, "the layer has it more than once, the last one is kept");
            _tree.Remove(node, inode => ChangeLinks(inode, -1));
            _parent = -1; // what was removed may have been a link on the way to the directory
        }
    }

    /// <summary>The directory of the present entry; missing ones are made.</summary>
    private int Parent()
    {
        ReadOnlySpan<byte> path = Path.Parent;
        if (_parent < 0 || !path.SequenceEqual(_parentPath.Span))
        {
            Demand(_tree.Walk(path, followLinks: true, Implicit, out int node), "cannot enter its directory");
            _parentPath.Set(path);
            _parent = node;
        }

        return _parent;
    }

    /// <summary>Places an inode in the file, with the rest of its data behind it where that fits.</summary>
    /// <returns>Its index.</returns>
    private int Pack(ErofsAttributes attributes, long size, uint place, byte[] xattrs, ReadOnlySpan<byte> tail)
    {
        if (!tail.IsEmpty && !IsBetterInline(ErofsFormat.InodeSize + xattrs.Length, tail.Length))
        {
            if (size == tail.Length)
            {
                place = (uint)(_output.Position >> ErofsFormat.BlockBits);
            }

            _output.Append(tail);
            _output.AppendPadding();
            tail = [];
        }

        int index = _tree.Inodes.Add(new(0, 1));
        int length = Fill(attributes, size, place, xattrs, tail, index, links: 1);
        _tree.Inodes[index].Offset = _output.Pack(_inode.AsSpan(0, length));
        return index;
    }

    private bool IsBetterInline(int inode, int tail)
    {
        int room = _output.PackedRoom;
        return inode + tail <= ErofsFormat.BlockSize
            && (inode + tail <= room || inode > room || room < ErofsFormat.BlockSize - tail); // else a block of its own wastes less
    }

    private int Fill(
        ErofsAttributes attributes, long size, uint place, byte[] xattrs, ReadOnlySpan<byte> tail, int index, uint links)
    {
        int length = ErofsFormat.InodeSize + xattrs.Length + tail.Length;
        if (_inode.Length < length)
        {
            _inode = new byte[length];
        }

        _inode.AsSpan(0, ErofsFormat.InodeSize).Clear();
        ErofsFormat.WriteInode(_inode, attributes, size, place, inline: !tail.IsEmpty, xattrs.Length, (uint)index + 1, links);
        xattrs.CopyTo(_inode.AsSpan(ErofsFormat.InodeSize));
        tail.CopyTo(_inode.AsSpan(ErofsFormat.InodeSize + xattrs.Length));
        return length;
    }

    private ErofsAttributes Attributes(ErofsType type) =>
        new(type, Entry.Mode, (uint)Entry.Uid, (uint)Entry.Gid, Entry.Modified);

    /// <summary>The extended attributes of the present entry, if the format can hold them.</summary>
    private TarXattr[] TakeXattrs()
    {
        TarXattr[] xattrs = [.. Entry.Xattrs];
        long size = ErofsFormat.XattrHeaderSize;
        foreach (TarXattr xattr in xattrs)
        {
            size += xattr.Name.Length + xattr.Value.Length + 8;
            if (xattr.Name.Length - 1 > MaxXattrName)
            {
                Demand(Errno.ERANGE, "cannot set an extended attribute");
            }

            if (xattr.Value.Length > ErofsXattrs.MaxValueSize)
            {
                throw _layer.Refused(
                    $"extended attribute {Printable.Escape(xattr.Name.AsSpan(0, xattr.Name.Length - 1))} has {xattr.Value.Length} bytes, at most {ErofsXattrs.MaxValueSize} are possible");
            }
        }

        _retainedXattrs += xattrs.Length > 0 ? size : 0;
        return size > ErofsXattrs.MaxSize ? throw _layer.Refused("its extended attributes are too large")
            : _retainedXattrs > MaxRetainedXattrs ? throw _layer.Refused("the layer has more than 32 MiB of extended attributes")
            : xattrs;
    }

    private void RememberXattrs(int inode, TarXattr[] xattrs)
    {
        if (xattrs.Length > 0)
        {
            _inodeXattrs[inode] = xattrs;
        }
    }

    private void Demand(Errno errno, string failure)
    {
        if (errno != Errno.None)
        {
            throw _layer.Refused($"{failure}: {ErrnoException.Describe(errno)}", new ErrnoException("write", null, errno));
        }
    }
}
