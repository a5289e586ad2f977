using System.Buffers.Binary;
using OciTool.Linux;

namespace OciTool.Storage.Erofs;

/// <summary>What kind of file a directory entry leads to (<c>erofs_ftype</c>).</summary>
internal enum ErofsType : byte
{
    None,
    RegularFile,
    Directory,
    CharacterDevice,
    BlockDevice,
    Fifo,
    Socket,
    SymbolicLink,
}

/// <summary>The part of an inode that does not depend on where things are.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Mode">Permission, set-id and sticky bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
/// <param name="Modified">The time of modification.</param>
internal readonly record struct ErofsAttributes(ErofsType Type, uint Mode, uint Uid, uint Gid, FileTime Modified);

/// <summary>How the structures of EROFS lie on disk: little-endian, at fixed offsets.</summary>
/// <remarks>
/// Linux, Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h. Of the format we use what every kernel since 5.4
/// reads: blocks of 4 KiB, extended inodes, data that are plain or whose last part follows the inode, inline and shared
/// extended attributes. An inode is named by its offset in units of 32 bytes, because the metadata start at block 0.
/// </remarks>
internal static class ErofsFormat
{
    public const int BlockBits = 12;
    public const int BlockSize = 1 << BlockBits;
    public const int SuperblockOffset = 1024;
    public const int SuperblockSize = 128;
    public const int InodeSize = 64;
    public const int InodeUnit = 32;
    public const int DirentSize = 12;
    public const int XattrHeaderSize = 12;
    public const int MaxNameLength = 255;

    /// <summary>Where the number of links lies in an inode.</summary>
    public const int LinksOffset = 44;

    private const uint Magic = 0xE0F5E1E2;
    private const uint FeatureChecksum = 1;
    private const uint FeatureModified = 2;
    private const int ExtendedInode = 1;
    private const int LayoutShift = 1;
    private const int LayoutPlain = 0;
    private const int LayoutInline = 2;

    /// <summary>The bits of st_mode that say what a file is.</summary>
    public static uint TypeBits(ErofsType type) => type switch
    {
        ErofsType.RegularFile => 0x8000,
        ErofsType.Directory => 0x4000,
        ErofsType.CharacterDevice => 0x2000,
        ErofsType.BlockDevice => 0x6000,
        ErofsType.Fifo => 0x1000,
        ErofsType.Socket => 0xc000,
        ErofsType.SymbolicLink => 0xa000,
        _ => 0,
    };

    /// <summary>Device numbers as the kernel encodes them for user space.</summary>
    public static uint DeviceNumber(uint major, uint minor) => (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);

    /// <summary>Fills an inode of 64 bytes (<c>struct erofs_inode_extended</c>).</summary>
    /// <param name="inode">The bytes, all zero.</param>
    /// <param name="attributes">What it is, and whose.</param>
    /// <param name="size">The size of its data in bytes.</param>
    /// <param name="place">The block at which the data start, or the number of a device.</param>
    /// <param name="inline">Whether what is left of the data behind the last whole block follows the inode.</param>
    /// <param name="xattrSize">The bytes of extended attributes behind the inode.</param>
    /// <param name="number">A number for stat(2) on 32-bit systems.</param>
    /// <param name="links">How many names it has.</param>
    public static void WriteInode(
        Span<byte> inode, ErofsAttributes attributes, long size, uint place, bool inline, int xattrSize, uint number, uint links)
    {
        int layout = inline ? LayoutInline : LayoutPlain;
        BinaryPrimitives.WriteUInt16LittleEndian(inode, (ushort)(ExtendedInode | (layout << LayoutShift)));
        BinaryPrimitives.WriteUInt16LittleEndian(inode[2..], XattrCount(xattrSize));
        BinaryPrimitives.WriteUInt16LittleEndian(inode[4..], (ushort)(TypeBits(attributes.Type) | attributes.Mode));
        BinaryPrimitives.WriteInt64LittleEndian(inode[8..], size);
        BinaryPrimitives.WriteUInt32LittleEndian(inode[16..], place);
        BinaryPrimitives.WriteUInt32LittleEndian(inode[20..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(inode[LinksOffset..], links);
        WriteAttributes(inode, attributes);
    }

    /// <summary>Gives a written inode other attributes.</summary>
    public static void WriteAttributes(Span<byte> inode, ErofsAttributes attributes)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(inode[4..], (ushort)(TypeBits(attributes.Type) | attributes.Mode));
        BinaryPrimitives.WriteUInt32LittleEndian(inode[24..], attributes.Uid);
        BinaryPrimitives.WriteUInt32LittleEndian(inode[28..], attributes.Gid);
        BinaryPrimitives.WriteInt64LittleEndian(inode[32..], attributes.Modified.Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(inode[40..], attributes.Modified.Nanoseconds);
    }

    /// <summary>Reads back what <see cref="WriteInode"/> wrote of the data.</summary>
    public static (long Size, uint Place, bool Inline, int XattrSize) ReadLayout(ReadOnlySpan<byte> inode)
    {
        int count = BinaryPrimitives.ReadUInt16LittleEndian(inode[2..]);
        return (
            BinaryPrimitives.ReadInt64LittleEndian(inode[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(inode[16..]),
            BinaryPrimitives.ReadUInt16LittleEndian(inode) >> LayoutShift == LayoutInline,
            count == 0 ? 0 : XattrHeaderSize + ((count - 1) * 4));
    }

    /// <summary>Reads back the owner and group of a written inode.</summary>
    public static (uint Uid, uint Gid) ReadOwner(ReadOnlySpan<byte> inode) =>
        (BinaryPrimitives.ReadUInt32LittleEndian(inode[24..]), BinaryPrimitives.ReadUInt32LittleEndian(inode[28..]));

    /// <summary>Fills a directory entry (<c>struct erofs_dirent</c>).</summary>
    /// <param name="dirent">12 bytes.</param>
    /// <param name="inode">The inode's offset in bytes.</param>
    /// <param name="nameOffset">Where in the block its name starts.</param>
    /// <param name="type">What it leads to.</param>
    public static void WriteDirent(Span<byte> dirent, long inode, int nameOffset, ErofsType type)
    {
        BinaryPrimitives.WriteInt64LittleEndian(dirent, inode / InodeUnit);
        BinaryPrimitives.WriteUInt16LittleEndian(dirent[8..], (ushort)nameOffset);
        dirent[10] = (byte)type;
        dirent[11] = 0;
    }

    /// <summary>Fills the superblock (<c>struct erofs_super_block</c>) in the first block, which holds all else by then.</summary>
    /// <param name="block">The first block of the file; what follows the superblock in it is part of the checksum.</param>
    /// <param name="rootInode">The offset of the root's inode in bytes.</param>
    /// <param name="inodes">How many inodes there are.</param>
    /// <param name="blocks">The size of the file in blocks.</param>
    /// <param name="xattrBlock">The block at which the shared extended attributes start.</param>
    public static void WriteSuperblock(Span<byte> block, long rootInode, long inodes, uint blocks, uint xattrBlock)
    {
        Span<byte> super = block.Slice(SuperblockOffset, SuperblockSize);
        BinaryPrimitives.WriteUInt32LittleEndian(super, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(super[8..], FeatureChecksum | FeatureModified);
        super[12] = BlockBits;
        BinaryPrimitives.WriteUInt16LittleEndian(super[14..], (ushort)(rootInode / InodeUnit));
        BinaryPrimitives.WriteInt64LittleEndian(super[16..], inodes);
        BinaryPrimitives.WriteUInt32LittleEndian(super[36..], blocks);
        BinaryPrimitives.WriteUInt32LittleEndian(super[44..], xattrBlock);
        BinaryPrimitives.WriteUInt32LittleEndian(super[4..], Crc32C(block[SuperblockOffset..BlockSize]));
    }

    private static ushort XattrCount(int xattrSize) =>
        (ushort)(xattrSize == 0 ? 0 : ((xattrSize - XattrHeaderSize) / 4) + 1);

    private static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue; // and, unlike elsewhere, not inverted at the end
        foreach (byte value in bytes)
        {
            crc = System.Numerics.BitOperations.Crc32C(crc, value);
        }

        return crc;
    }
}
