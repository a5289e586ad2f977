using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Erofs;

/// <summary>The extended attributes of a file system's inodes, as they lie behind the inodes and in the area that they share.</summary>
/// <remarks>
/// What is seen once stays with its inode; what is seen again goes to the shared area, where inodes name it by its
/// offset. <c>struct erofs_xattr_ibody_header</c> and <c>struct erofs_xattr_entry</c>.
/// </remarks>
internal sealed class ErofsXattrs
{
    private const int EntryHeaderSize = 4;
    private const int MostShared = 255; // h_shared_count has 8 bits
    private const int MostRemembered = 4096;
    private const int LongestShared = 1024;
    private const int SeenOnce = -1;

    private static readonly (byte[] Prefix, byte Index)[] Namespaces =
    [
        ("user."u8.ToArray(), 1),
        ("trusted."u8.ToArray(), 4),
        ("security."u8.ToArray(), 6),
    ];

    private readonly Dictionary<string, int> _seen = [];
    private readonly List<byte> _shared = [];

    /// <summary>The longest value that the format has room for.</summary>
    public const int MaxValueSize = ushort.MaxValue;

    /// <summary>The most bytes that an inode can have behind it for attributes: its count has 16 bits.</summary>
    public const int MaxSize = ErofsFormat.XattrHeaderSize + ((ushort.MaxValue - 1) * 4);

    /// <summary>The shared area.</summary>
    public ReadOnlySpan<byte> Shared => CollectionsMarshal.AsSpan(_shared);

    /// <summary>Makes the bytes that follow an inode.</summary>
    /// <param name="xattrs">Attributes of the namespaces user, trusted and security.</param>
    /// <returns>A multiple of four bytes; none without attributes.</returns>
    public byte[] Encode(ReadOnlySpan<TarXattr> xattrs)
    {
        if (xattrs.IsEmpty)
        {
            return [];
        }

        List<int> shared = [];
        List<byte> inline = [];
        foreach (TarXattr xattr in xattrs)
        {
            byte[] entry = Entry(xattr);
            if (shared.Count < MostShared && TryShare(entry, out int offset))
            {
                shared.Add(offset);
            }
            else
            {
                inline.AddRange(entry);
            }
        }

        byte[] bytes = new byte[ErofsFormat.XattrHeaderSize + (shared.Count * 4) + inline.Count];
        bytes[4] = (byte)shared.Count;
        for (int i = 0; i < shared.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(ErofsFormat.XattrHeaderSize + (i * 4)), shared[i]);
        }

        inline.CopyTo(bytes, bytes.Length - inline.Count);
        return bytes;
    }

    private bool TryShare(byte[] entry, out int offset)
    {
        offset = SeenOnce;
        string key = entry.Length <= LongestShared ? Encoding.Latin1.GetString(entry) : ""; // one character a byte
        if (!_seen.TryGetValue(key, out offset))
        {
            if (key.Length > 0 && _seen.Count < MostRemembered)
            {
                _seen.Add(key, SeenOnce);
            }

            return false;
        }

        if (offset == SeenOnce)
        {
            offset = _shared.Count / 4;
            _shared.AddRange(entry);
            _seen[key] = offset;
        }

        return true;
    }

    private static byte[] Entry(TarXattr xattr)
    {
        ReadOnlySpan<byte> name = xattr.Name.AsSpan(0, xattr.Name.Length - 1);
        foreach ((byte[] prefix, byte index) in Namespaces)
        {
            if (name.StartsWith(prefix))
            {
                name = name[prefix.Length..];
                byte[] entry = new byte[(EntryHeaderSize + name.Length + xattr.Value.Length + 3) & ~3];
                entry[0] = (byte)name.Length;
                entry[1] = index;
                BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(2), (ushort)xattr.Value.Length);
                name.CopyTo(entry.AsSpan(EntryHeaderSize));
                xattr.Value.CopyTo(entry, EntryHeaderSize + name.Length);
                return entry;
            }
        }

        throw new ArgumentException("an extended attribute of a namespace that is not kept", nameof(xattr));
    }
}
