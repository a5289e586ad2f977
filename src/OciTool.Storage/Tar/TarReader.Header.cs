using System.Numerics;
using OciTool.Linux;

namespace OciTool.Storage.Tar;

internal sealed partial class TarReader
{
    private enum Dialect
    {
        V7,
        Ustar,
        Star,
        Gnu,
    }

    /// <summary>Reads the 512 bytes of a header: magic, checksum and the fields that its dialect has.</summary>
    private void ReadHeader(ReadOnlySpan<byte> block)
    {
        VerifyChecksum(block);
        Dialect dialect = DialectOf(block);
        Entry.TypeFlag = block[156];
        if (Entry.TypeFlag is not ((byte)'x' or (byte)'g' or (byte)'L' or (byte)'K'))
        {
            ReadNames(block, dialect); // first, so that what is wrong with the rest can name the entry
        }

        Entry.Mode = (uint)(Number(block[100..108], "mode") & 0xfff);
        Entry.Uid = Number(block[108..116], "uid");
        Entry.Gid = Number(block[116..124], "gid");
        Entry.Size = Number(block[124..136], "size");
        Entry.Modified = new(Number(block[136..148], "mtime"), 0);
        Entry.DeviceMajor = dialect == Dialect.V7 ? 0 : Number(block[329..337], "device number");
        Entry.DeviceMinor = dialect == Dialect.V7 ? 0 : Number(block[337..345], "device number");
        if (dialect == Dialect.Star)
        {
            _ = Number(block[476..488], "atime"); // of no use to us, but a number it must be
            _ = Number(block[488..500], "ctime");
        }

        SetStored(Entry.TypeFlag is >= (byte)'1' and <= (byte)'6' ? 0 : Entry.Size);
    }

    private static Dialect DialectOf(ReadOnlySpan<byte> block) =>
        block[257..265].SequenceEqual("ustar  \0"u8) ? Dialect.Gnu
        : !block[257..263].SequenceEqual("ustar\0"u8) ? Dialect.V7
        : block[508..].SequenceEqual("tar\0"u8) ? Dialect.Star
        : Dialect.Ustar;

    /// <summary>The names of an entry: those of GNU's headers win over those of PAX, whatever their order, as in Go.</summary>
    private void ReadNames(ReadOnlySpan<byte> block, Dialect dialect)
    {
        if (!_longName.Span.IsEmpty)
        {
            Entry.SetName(_longName.Span);
        }
        else if (_pax.TryGet(PaxKey.Path, out ReadOnlySpan<byte> path))
        {
            Entry.SetName(path);
        }
        else if (Prefix(block, dialect) is { IsEmpty: false } prefix)
        {
            Entry.SetName(prefix, Text(block[..100]));
        }
        else
        {
            Entry.SetName(Text(block[..100]));
        }

        Entry.SetLinkName(
            !_longLink.Span.IsEmpty ? _longLink.Span
            : _pax.TryGet(PaxKey.LinkPath, out ReadOnlySpan<byte> link) ? link
            : Text(block[157..257]));
        _isNamed = true;
    }

    private static ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> block, Dialect dialect)
    {
        switch (dialect)
        {
            case Dialect.Ustar:
                return Text(block[345..500]);
            case Dialect.Star:
                return Text(block[345..476]);
            case Dialect.Gnu when !IsTime(block[345..357]) || !IsTime(block[357..369]):
                // GNU keeps two times there; Go before 1.8 wrote a prefix nevertheless, of ASCII only
                ReadOnlySpan<byte> prefix = Text(block[345..500]);
                return prefix.ContainsAnyExceptInRange((byte)0, (byte)0x7f) ? [] : prefix;
            default:
                return [];
        }

        static bool IsTime(ReadOnlySpan<byte> field) => field[0] == 0 || TarNumber.TryParse(field, out _);
    }

    /// <summary>Applies the extension headers, and finds out what the entry is and where its data are.</summary>
    private void Describe(ReadOnlySpan<byte> header)
    {
        Entry.Xattrs.Clear();
        if (!_pax.IsEmpty)
        {
            ApplyPax();
        }

        Entry.Kind = Entry.TypeFlag switch
        {
            0 => Entry.Name is [.., (byte)'/'] ? TarEntryKind.Directory : TarEntryKind.RegularFile,
            (byte)'0' or (byte)'S' => TarEntryKind.RegularFile,
            (byte)'1' => TarEntryKind.HardLink,
            (byte)'2' => TarEntryKind.SymbolicLink,
            (byte)'3' => TarEntryKind.CharacterDevice,
            (byte)'4' => TarEntryKind.BlockDevice,
            (byte)'5' => TarEntryKind.Directory,
            (byte)'6' => TarEntryKind.Fifo,
            _ => TarEntryKind.Other,
        };
        if (!HasData)
        {
            Entry.Size = 0; // whatever the headers say: what follows is the next header, as in Go
        }

        SetStored(Entry.Size);
        ReadSparseMap(header);
    }

    private void ApplyPax()
    {
        Entry.Uid = Decimal(PaxKey.Uid, "uid") ?? Entry.Uid;
        Entry.Gid = Decimal(PaxKey.Gid, "gid") ?? Entry.Gid;
        Entry.Size = Decimal(PaxKey.Size, "size") ?? Entry.Size;
        Entry.Modified = Time(PaxKey.ModificationTime, "mtime") ?? Entry.Modified;
        _ = Time(PaxKey.AccessTime, "atime"); // of no use to us, but a time it must be, as in Go
        _ = Time(PaxKey.ChangeTime, "ctime");
        _pax.AddXattrsTo(Entry.Xattrs);
    }

    /// <summary>Says how many bytes are stored of what follows; padding fills the last block.</summary>
    private void SetStored(long size)
    {
        if (size < 0)
        {
            throw Damaged($"negative size {size}");
        }

        _stored = size;
        _padding = (int)(-size & (BlockSize - 1));
        _run = 0;
        _runDone = 0;
    }

    /// <summary>Compares the sum of all bytes, with blanks for the sum itself.</summary>
    private void VerifyChecksum(ReadOnlySpan<byte> block)
    {
        ReadOnlySpan<byte> field = block[148..156];
        int unsigned = SumOfBlock(block) + (field.Length * ' ');
        foreach (byte part in field)
        {
            unsigned -= part;
        }

        if (!TarNumber.TryParseOctal(field, out long sum) || (sum != unsigned && sum != Signed(block, unsigned)))
        {
            throw Damaged("invalid header checksum");
        }

        static int Signed(ReadOnlySpan<byte> block, int sum)
        {
            for (int i = 0; i < block.Length; i++)
            {
                sum -= i is < 148 or >= 156 ? (block[i] & 0x80) << 1 : 0; // some old writers summed signed bytes
            }

            return sum;
        }
    }

    /// <summary>The sum of the 512 bytes of a block, many at a time.</summary>
    private static int SumOfBlock(ReadOnlySpan<byte> block)
    {
        Vector<ushort> sums = Vector<ushort>.Zero; // of at most 64 bytes each: no overflow
        for (int i = 0; i < BlockSize; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(block[i..]), out Vector<ushort> low, out Vector<ushort> high);
            sums += low + high;
        }

        Vector.Widen(sums, out Vector<uint> lower, out Vector<uint> upper);
        return (int)Vector.Sum(lower + upper);
    }

    private long Number(ReadOnlySpan<byte> field, string what) =>
        TarNumber.TryParse(field, out long value) ? value : throw Damaged($"invalid {what}");

    private long? Decimal(PaxKey key, string name) =>
        !_pax.TryGet(key, out ReadOnlySpan<byte> text) ? null
        : TarNumber.TryParseDecimal(text, out long value) ? value
        : throw Damaged($"invalid {name} in a PAX record");

    private FileTime? Time(PaxKey key, string name) =>
        !_pax.TryGet(key, out ReadOnlySpan<byte> text) ? null
        : TarNumber.TryParseTime(text, out FileTime time) ? time
        : throw Damaged($"invalid {name} in a PAX record");

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
