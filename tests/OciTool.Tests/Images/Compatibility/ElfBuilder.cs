using System.Buffers.Binary;
using System.Text;

namespace OciTool.Tests.Images.Compatibility;

/// <summary>Makes small ELF files by hand: one loaded segment from byte 0, and what is asked for behind the headers.</summary>
internal sealed class ElfBuilder
{
    private const ulong Base = 0x400000;
    private readonly List<(uint Type, byte[] Content, ulong Alignment)> _parts = [];
    private readonly List<(ulong Tag, Func<Func<string, ulong>, ulong> Value)> _dynamic = [];
    private readonly MemoryStream _strings = Start();
    private (string Library, string[] Versions)[] _needs = [];

    public bool Is64 { get; init; } = true;

    public bool IsBigEndian { get; init; }

    public ushort Type { get; init; } = 3;

    public ushort Machine { get; init; } = 62;

    public uint Flags { get; init; }

    public ulong Alignment { get; init; } = 0x1000;

    public ElfBuilder Interpreter(string path) => Part(3, [.. Encoding.UTF8.GetBytes(path), 0], 1);

    public ElfBuilder AbiTag(uint major, uint minor, uint patch) =>
        Part(4, Note(1, [.. Word(0), .. Word(major), .. Word(minor), .. Word(patch)]), 4);

    public ElfBuilder NeededIsa(uint bits) =>
        Part(4, Note(5, [.. Word(0xc0008002), .. Word(4), .. Word(bits), .. Is64 ? Word(0) : []]), Is64 ? 8u : 4u);

    public ElfBuilder Needed(params string[] libraries)
    {
        foreach (string library in libraries)
        {
            _dynamic.Add((1, text => text(library)));
        }

        return this;
    }

    public ElfBuilder SoName(string name) => Dynamic(14, name);

    public ElfBuilder RunPath(string path) => Dynamic(29, path);

    public ElfBuilder RPath(string path) => Dynamic(15, path);

    public ElfBuilder VersionNeeds(params (string Library, string[] Versions)[] needs)
    {
        _needs = needs;
        return this;
    }

    public byte[] Build()
    {
        List<(uint Type, byte[] Content, ulong Alignment)> parts = [.. _parts];
        int count = 1 + parts.Count + (_dynamic.Count > 0 || _needs.Length > 0 ? 1 : 0);
        int headers = (Is64 ? 64 : 52) + (count * (Is64 ? 56 : 32));
        MemoryStream body = new();
        List<(uint Type, ulong Offset, ulong Size, ulong Alignment)> placed = [];
        foreach ((uint type, byte[] content, ulong alignment) in parts)
        {
            Pad(body, headers);
            placed.Add((type, (ulong)(headers + body.Length), (ulong)content.Length, alignment));
            body.Write(content);
        }

        if (count > 1 + parts.Count)
        {
            Pad(body, headers);
            List<(ulong Tag, ulong Value)> entries = [.. _dynamic.Select(entry => (entry.Tag, entry.Value(Text)))];
            byte[] needs = BuildNeeds();
            ulong needsAt = (ulong)(headers + body.Length);
            body.Write(needs);
            ulong stringsAt = (ulong)(headers + body.Length);
            body.Write(_strings.ToArray());
            Pad(body, headers);
            entries.Add((5, Base + stringsAt));
            if (_needs.Length > 0)
            {
                entries.Add((0x6ffffffe, Base + needsAt));
            }

            entries.Add((0, 0));
            placed.Add((2, (ulong)(headers + body.Length), (ulong)entries.Count * (Is64 ? 16u : 8u), 8));
            entries.ForEach(entry => body.Write([.. Native(entry.Tag), .. Native(entry.Value)]));
        }

        ulong size = (ulong)(headers + body.Length);
        placed.Insert(0, (1, 0, size, Alignment));
        MemoryStream file = new();
        file.Write([0x7f, (byte)'E', (byte)'L', (byte)'F', (byte)(Is64 ? 2 : 1), (byte)(IsBigEndian ? 2 : 1), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.Write([.. Half(Type), .. Half(Machine), .. Word(1), .. Native(Base + 64), .. Native(Is64 ? 64u : 52u), .. Native(0), .. Word(Flags)]);
        file.Write([.. Half(Is64 ? (ushort)64 : (ushort)52), .. Half(Is64 ? (ushort)56 : (ushort)32), .. Half((ushort)count), .. Half(0), .. Half(0), .. Half(0)]);
        foreach ((uint type, ulong offset, ulong length, ulong alignment) in placed)
        {
            file.Write(Is64
                ? [.. Word(type), .. Word(5), .. Native(offset), .. Native(Base + offset), .. Native(Base + offset), .. Native(length), .. Native(length), .. Native(alignment)]
                : [.. Word(type), .. Native(offset), .. Native(Base + offset), .. Native(Base + offset), .. Native(length), .. Native(length), .. Word(5), .. Native(alignment)]);
        }

        file.Write(body.ToArray());
        return file.ToArray();
    }

    private byte[] BuildNeeds()
    {
        MemoryStream needs = new();
        for (int i = 0; i < _needs.Length; i++)
        {
            (string library, string[] versions) = _needs[i];
            uint next = i == _needs.Length - 1 ? 0 : 16 + (16 * (uint)versions.Length);
            needs.Write([.. Half(1), .. Half((ushort)versions.Length), .. Word((uint)Text(library)), .. Word(16), .. Word(next)]);
            for (int j = 0; j < versions.Length; j++)
            {
                needs.Write([.. Word(0), .. Half(0), .. Half(2), .. Word((uint)Text(versions[j])), .. Word(j == versions.Length - 1 ? 0u : 16u)]);
            }
        }

        return needs.ToArray();
    }

    private ElfBuilder Dynamic(ulong tag, string text)
    {
        _dynamic.Add((tag, place => place(text)));
        return this;
    }

    private ElfBuilder Part(uint type, byte[] content, ulong alignment)
    {
        _parts.Add((type, content, alignment));
        return this;
    }

    private ulong Text(string text)
    {
        _strings.Position = _strings.Length;
        ulong at = (ulong)_strings.Length;
        _strings.Write([.. Encoding.UTF8.GetBytes(text), 0]);
        return at;
    }

    private byte[] Note(uint type, byte[] value) => [.. Word(4), .. Word((uint)value.Length), .. Word(type), .. "GNU\0"u8, .. value];

    private static MemoryStream Start()
    {
        MemoryStream strings = new();
        strings.WriteByte(0); // the empty string
        return strings;
    }

    private static void Pad(MemoryStream body, int headers)
    {
        while ((headers + body.Length) % 8 != 0)
        {
            body.WriteByte(0);
        }
    }

    private byte[] Half(ushort value)
    {
        byte[] bytes = new byte[2];
        (IsBigEndian ? (Action<Span<byte>, ushort>)BinaryPrimitives.WriteUInt16BigEndian : BinaryPrimitives.WriteUInt16LittleEndian)(bytes, value);
        return bytes;
    }

    private byte[] Word(uint value)
    {
        byte[] bytes = new byte[4];
        (IsBigEndian ? (Action<Span<byte>, uint>)BinaryPrimitives.WriteUInt32BigEndian : BinaryPrimitives.WriteUInt32LittleEndian)(bytes, value);
        return bytes;
    }

    private byte[] Native(ulong value)
    {
        if (!Is64)
        {
            return Word((uint)value);
        }

        byte[] bytes = new byte[8];
        (IsBigEndian ? (Action<Span<byte>, ulong>)BinaryPrimitives.WriteUInt64BigEndian : BinaryPrimitives.WriteUInt64LittleEndian)(bytes, value);
        return bytes;
    }
}
