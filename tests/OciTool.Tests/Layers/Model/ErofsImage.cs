using System.Buffers.Binary;
using System.Text;

namespace OciTool.Tests.Layers.Model;

/// <summary>An erofs image is not what the format, or our stricter habits, want.</summary>
internal sealed class ErofsException(string message) : Exception(message);

/// <summary>Reads an uncompressed erofs image and checks all that can be checked.</summary>
/// <remarks>
/// Written from the on-disk format alone (the kernel's Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h), so
/// that it can judge a writer. It demands that every offset lies in the image, that names are sorted, unique and not
/// above 255 bytes, that <c>.</c> and <c>..</c> are right, that types and numbers of links are those found, that inline
/// data do not cross a block, that inodes, attributes and data lie apart, and that the superblock's sums are right.
/// </remarks>
internal sealed partial class ErofsImage
{
    private const int SuperblockOffset = 1024;
    private const int SuperblockSize = 128;
    private const uint Magic = 0xe0f5e1e2;
    private const uint HasChecksum = 1;
    private const uint ChunkedFiles = 4; // of the features that a reader has to know

    private readonly byte[] _image;
    private readonly int _blockSize;
    private readonly long _blocks;
    private readonly long _metaBlock;
    private readonly long _xattrBlock;
    private readonly Time _buildTime;
    private readonly Dictionary<long, Inode> _inodes = [];
    private readonly Dictionary<long, FileNode> _nodes = [];
    private readonly Dictionary<long, long> _found = []; // links by inode, as the directories have them
    private readonly List<(long Start, long End, string What)> _ranges = [];

    private ErofsImage(byte[] image)
    {
        _image = image;
        ReadOnlySpan<byte> super = At(SuperblockOffset, SuperblockSize, "superblock");
        Demand(U32(super) == Magic, "the magic number is wrong");
        uint compatible = U32(super[8..]);
        int blockBits = super[12];
        Demand(blockBits is >= 9 and <= 16, $"blocks of 2^{blockBits} bytes");
        _blockSize = 1 << blockBits;
        Demand(super[13] == 0, "superblock extensions are not known");
        uint incompatible = U32(super[80..]);
        Demand((incompatible & ~ChunkedFiles) == 0, $"incompatible features {incompatible:x}");
        Demand(U16(super[86..]) == 0, "more devices than one");
        Demand(super[90] == 0, "directory blocks of another size");
        Demand(super[91] == 0, "long attribute prefixes");
        _blocks = U32(super[36..]);
        _metaBlock = U32(super[40..]);
        _xattrBlock = U32(super[44..]);
        _buildTime = new Time((long)U64(super[24..]), (int)U32(super[32..]));
        Demand(_buildTime.Nanoseconds < 1_000_000_000, "the build time is wrong");
        Demand(_image.Length == _blocks * _blockSize, $"{_image.Length} bytes and {_blocks} blocks of {_blockSize}");
        Demand(_metaBlock < _blocks && _xattrBlock <= _blocks, "an area starts behind the end");
        Demand((compatible & HasChecksum) != 0, "no checksum");
        Demand(U32(super[4..]) == Checksum(), "the superblock's checksum is wrong");
        Claim(0, SuperblockOffset + SuperblockSize, "superblock");
        RootNid = U16(super[14..]);
        InodeCount = (long)U64(super[16..]);
    }

    /// <summary>The number of inodes that the superblock has.</summary>
    public long InodeCount { get; }

    private long RootNid { get; }

    /// <summary>Reads an image.</summary>
    /// <param name="image">All of it.</param>
    /// <returns>Its tree, with whiteouts and opaque directories told from what overlayfs has for them.</returns>
    /// <exception cref="ErofsException">Something is wrong with it.</exception>
    public static FileNode Read(byte[] image)
    {
        ErofsImage erofs = new(image);
        FileNode root = erofs.ReadDirectory(erofs.RootNid, erofs.RootNid, "/");
        erofs.CheckLinks();
        erofs.CheckRanges();
        return root;
    }

    private void CheckLinks()
    {
        foreach ((long nid, Inode inode) in _inodes)
        {
            long found = _found.GetValueOrDefault(nid);
            Demand(inode.Links == found, $"inode {nid} has {inode.Links} links, found are {found}");
        }

        Demand(_inodes.Count == InodeCount, $"{InodeCount} inodes in the superblock, found are {_inodes.Count}");
        Demand(_inodes.Values.Select(inode => inode.Number).Distinct().Count() == _inodes.Count, "two inodes have one number");
    }

    private void CheckRanges()
    {
        _ranges.Sort();
        for (int i = 1; i < _ranges.Count; i++)
        {
            Demand(
                _ranges[i - 1].End <= _ranges[i].Start,
                $"{_ranges[i - 1].What} (to {_ranges[i - 1].End}) overlaps {_ranges[i].What} (from {_ranges[i].Start})");
        }
    }

    /// <summary>Notes that bytes of the image belong to something.</summary>
    private void Claim(long start, long length, string what)
    {
        if (length > 0)
        {
            _ranges.Add((start, start + length, what));
        }
    }

    /// <summary>CRC-32C of the superblock's block from byte 1024 on, its own field taken as 0, not inverted at the end.</summary>
    private uint Checksum()
    {
        int end = _blockSize > SuperblockOffset ? _blockSize : SuperblockOffset + _blockSize;
        byte[] block = At(SuperblockOffset, end - SuperblockOffset, "superblock").ToArray();
        block.AsSpan(4, 4).Clear();
        uint crc = uint.MaxValue;
        foreach (byte part in block)
        {
            crc ^= part;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
            }
        }

        return crc;
    }

    private ReadOnlySpan<byte> At(long offset, long length, string what)
    {
        Demand(offset >= 0 && length >= 0 && offset <= _image.Length - length, $"{what} at {offset}+{length} lies outside of the image");
        return _image.AsSpan((int)offset, (int)length);
    }

    private static void Demand(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new ErofsException(otherwise);
        }
    }

    private static ushort U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ulong U64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
