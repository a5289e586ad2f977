using System.Buffers.Binary;
using System.Text;

namespace OciTool.Images.Compatibility;

/// <summary>Numbers and strings of an ELF file in its byte order, every access checked against the file's end.</summary>
internal sealed class ElfWindow(IFileBytes file)
{
    private const int PageSize = 4096;

    /// <summary>The longest string that is read: the kernel's limit for paths.</summary>
    private const int LongestString = 4096;

    private readonly byte[] _page = new byte[PageSize];
    private long _pageOffset = -1;
    private int _pageLength;

    /// <summary>The size of the file.</summary>
    public long Length => file.Length;

    /// <summary>Whether numbers have their most significant byte first.</summary>
    public bool IsBigEndian { get; set; }

    public byte Byte(ulong offset)
    {
        Span<byte> bytes = stackalloc byte[1];
        Read(offset, bytes);
        return bytes[0];
    }

    public ushort Half(ulong offset)
    {
        Span<byte> bytes = stackalloc byte[2];
        Read(offset, bytes);
        return IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public uint Word(ulong offset)
    {
        Span<byte> bytes = stackalloc byte[4];
        Read(offset, bytes);
        return IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong Long(ulong offset)
    {
        Span<byte> bytes = stackalloc byte[8];
        Read(offset, bytes);
        return IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>A number of the file's own width.</summary>
    public ulong Native(ulong offset, bool is64) => is64 ? Long(offset) : Word(offset);

    /// <summary>A string that ends with NUL.</summary>
    /// <exception cref="InvalidElfException">It has no end in the file, or is longer than a path can be.</exception>
    public string Text(ulong offset)
    {
        if (offset > long.MaxValue || offset >= (ulong)file.Length)
        {
            throw new InvalidElfException($"it refers to byte {offset}, and has {file.Length}");
        }

        StringBuilder? beginning = null;
        while (true)
        {
            ReadOnlySpan<byte> rest = PageAt((long)offset);
            int end = rest.IndexOf((byte)0);
            if (end >= 0 && beginning is null)
            {
                return Encoding.UTF8.GetString(rest[..end]);
            }

            (beginning ??= new()).Append(Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]));
            if (end >= 0)
            {
                return beginning.ToString();
            }

            offset += (ulong)rest.Length;
            if (beginning.Length > LongestString)
            {
                throw new InvalidElfException($"a string has more than {LongestString} bytes");
            }
        }
    }

    /// <summary>Fills a buffer.</summary>
    /// <exception cref="InvalidElfException">The file ends before.</exception>
    public void Read(ulong offset, Span<byte> buffer)
    {
        if (offset > long.MaxValue || (ulong)file.Length < offset || (ulong)file.Length - offset < (ulong)buffer.Length)
        {
            throw new InvalidElfException($"it refers to byte {offset}, and has {file.Length}");
        }

        while (!buffer.IsEmpty)
        {
            ReadOnlySpan<byte> rest = PageAt((long)offset);
            int count = Math.Min(buffer.Length, rest.Length);
            rest[..count].CopyTo(buffer);
            buffer = buffer[count..];
            offset += (ulong)count;
        }
    }

    /// <summary>What a page of the file holds from an offset on; never nothing.</summary>
    private ReadOnlySpan<byte> PageAt(long offset)
    {
        long page = offset / PageSize * PageSize;
        if (page != _pageOffset)
        {
            _pageLength = file.Read(page, _page);
            _pageOffset = page;
        }

        int at = (int)(offset - page);
        return at < _pageLength
            ? _page.AsSpan(at, _pageLength - at)
            : throw new InvalidElfException($"it ends before byte {offset}");
    }
}
