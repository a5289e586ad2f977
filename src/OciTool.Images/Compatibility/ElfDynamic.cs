namespace OciTool.Images.Compatibility;

/// <summary>What the dynamic loader reads of a program or library: the libraries that it needs, and the versions of symbols.</summary>
/// <remarks>System V ABI, "Dynamic Section"; Linux Standard Base, "Symbol Versioning".</remarks>
public sealed record ElfDynamic
{
    private const int MostEntries = 4096; // the C library itself offers fewer than a hundred versions

    /// <summary>A program or library without a dynamic section.</summary>
    public static readonly ElfDynamic None = new();

    /// <summary>The names in DT_NEEDED, in order.</summary>
    public IReadOnlyList<string> Needed { get; init; } = [];

    /// <summary>The name in DT_SONAME.</summary>
    public string? SoName { get; init; }

    /// <summary>The directories in DT_RPATH, separated by colons.</summary>
    public string? RPath { get; init; }

    /// <summary>The directories in DT_RUNPATH, separated by colons.</summary>
    public string? RunPath { get; init; }

    /// <summary>The versions of symbols that it takes from each library.</summary>
    public IReadOnlyList<VersionNeed> VersionNeeds { get; init; } = [];

    /// <summary>The versions of symbols that it offers.</summary>
    public IReadOnlyList<string> VersionDefinitions { get; init; } = [];

    /// <summary>Reads the dynamic section.</summary>
    /// <param name="elf">The headers of the file.</param>
    /// <param name="file">The file.</param>
    /// <exception cref="InvalidElfException">It refers to what is not there, or has no end.</exception>
    public static ElfDynamic Read(ElfFile elf, IFileBytes file)
    {
        if (elf.Dynamic is not (var offset, var size))
        {
            return None;
        }

        ElfWindow window = new(file) { IsBigEndian = elf.IsBigEndian };
        List<ulong> needed = [];
        Dictionary<ulong, ulong> values = [];
        uint entrySize = elf.Is64 ? 16u : 8u;
        ulong count = Math.Min(size / entrySize, MostEntries);
        for (ulong i = 0; i < count; i++)
        {
            ulong at = Add(offset, i * entrySize);
            ulong tag = window.Native(at, elf.Is64);
            ulong value = window.Native(at + (entrySize / 2), elf.Is64);
            if (tag == Tag.Null)
            {
                break;
            }

            if (tag == Tag.Needed)
            {
                needed.Add(value);
            }
            else
            {
                values[tag] = value;
            }
        }

        if (!values.TryGetValue(Tag.StringTable, out ulong stringAddress))
        {
            return needed.Count == 0 ? None : throw new InvalidElfException("it needs libraries and has no table of their names");
        }

        ulong strings = OffsetOf(elf, stringAddress);
        string? TextOf(ulong tag) => values.TryGetValue(tag, out ulong value) ? window.Text(Add(strings, value)) : null;
        return new ElfDynamic
        {
            Needed = [.. needed.Select(name => window.Text(Add(strings, name)))],
            SoName = TextOf(Tag.SoName),
            RPath = TextOf(Tag.RPath),
            RunPath = TextOf(Tag.RunPath),
            VersionNeeds = values.TryGetValue(Tag.VersionNeed, out ulong needs)
                ? ReadNeeds(window, OffsetOf(elf, needs), strings) : [],
            VersionDefinitions = values.TryGetValue(Tag.VersionDefinition, out ulong definitions)
                ? ReadDefinitions(window, OffsetOf(elf, definitions), strings) : [],
        };
    }

    private static List<VersionNeed> ReadNeeds(ElfWindow window, ulong at, ulong strings)
    {
        List<VersionNeed> needs = [];
        int total = 0;
        while (true)
        {
            string library = window.Text(Add(strings, window.Word(Add(at, 4))));
            ulong auxiliary = Add(at, window.Word(at + 8));
            List<NeededVersion> versions = [];
            while (true)
            {
                Count(ref total);
                versions.Add(new NeededVersion(
                    window.Text(Add(strings, window.Word(Add(auxiliary, 8)))), IsWeak: (window.Half(auxiliary + 4) & 2) != 0));
                uint step = window.Word(auxiliary + 12);
                if (step == 0)
                {
                    break;
                }

                auxiliary = Add(auxiliary, step);
            }

            needs.Add(new VersionNeed(library, versions));
            uint next = window.Word(at + 12);
            if (next == 0)
            {
                return needs;
            }

            at = Add(at, next);
        }
    }

    private static List<string> ReadDefinitions(ElfWindow window, ulong at, ulong strings)
    {
        List<string> definitions = [];
        int total = 0;
        while (true)
        {
            Count(ref total);
            ulong auxiliary = Add(at, window.Word(Add(at, 12)));
            definitions.Add(window.Text(Add(strings, window.Word(auxiliary))));
            uint next = window.Word(at + 16);
            if (next == 0)
            {
                return definitions;
            }

            at = Add(at, next);
        }
    }

    private static void Count(ref int total)
    {
        if (++total > MostEntries)
        {
            throw new InvalidElfException($"it has more than {MostEntries} versions of symbols");
        }
    }

    private static ulong OffsetOf(ElfFile elf, ulong address)
    {
        foreach (ElfSegment segment in elf.Segments)
        {
            if (address >= segment.Address && address - segment.Address < segment.FileSize)
            {
                return Add(segment.Offset, address - segment.Address);
            }
        }

        throw new InvalidElfException($"no segment holds address 0x{address:x}");
    }

    private static ulong Add(ulong offset, ulong more) =>
        offset <= long.MaxValue && more <= long.MaxValue ? offset + more : throw new InvalidElfException($"it refers to byte {offset}");

    private static class Tag
    {
        public const ulong Null = 0, Needed = 1, StringTable = 5, SoName = 14, RPath = 15, RunPath = 29,
            VersionDefinition = 0x6ffffffc, VersionNeed = 0x6ffffffe;
    }
}

/// <summary>The versions of symbols that are taken from one library.</summary>
/// <param name="Library">The library's name, as in DT_NEEDED.</param>
/// <param name="Versions">The versions.</param>
public sealed record VersionNeed(string Library, IReadOnlyList<NeededVersion> Versions);

/// <summary>One version of symbols.</summary>
/// <param name="Name">For example <c>GLIBC_2.34</c>.</param>
/// <param name="IsWeak">Whether the program runs without it.</param>
public sealed record NeededVersion(string Name, bool IsWeak);
