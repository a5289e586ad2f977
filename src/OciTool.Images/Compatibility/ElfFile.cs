namespace OciTool.Images.Compatibility;

/// <summary>What the kernel reads of a program: the ELF header and the program headers.</summary>
/// <remarks>System V ABI, chapter 4 and 5; checked as the kernel checks it in fs/binfmt_elf.c.</remarks>
public sealed record ElfFile
{
    private const int HeaderSize32 = 52;
    private const int HeaderSize64 = 64;
    private const int LongestPath = 4096;
    private const int LongestTable = 65536; // the kernel's own limit for program headers
    private const int LongestNotes = 65536;
    private const uint PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_NOTE = 4, PT_GNU_PROPERTY = 0x6474e553;

    /// <summary>Whether addresses have 64 bits.</summary>
    public required bool Is64 { get; init; }

    /// <summary>Whether numbers have their most significant byte first.</summary>
    public required bool IsBigEndian { get; init; }

    /// <summary>Whether its class or byte order are not what the rest of it is: the kernel does not mind, loaders do.</summary>
    public bool IsMislabelled { get; init; }

    /// <summary>The field <c>e_type</c>: 2 for a program at a fixed address, 3 for a library or a program anywhere.</summary>
    public required ushort Type { get; init; }

    /// <summary>The field <c>e_machine</c>.</summary>
    public required ushort Machine { get; init; }

    /// <summary>The field <c>e_flags</c>, whose meaning depends on the machine.</summary>
    public required uint Flags { get; init; }

    /// <summary>The path in PT_INTERP: the loader that the program wants; null for a static one.</summary>
    public string? Interpreter { get; init; }

    /// <summary>The segments that are loaded.</summary>
    public required IReadOnlyList<ElfSegment> Segments { get; init; }

    /// <summary>Where PT_DYNAMIC is; null where there is none.</summary>
    public (ulong Offset, ulong Size)? Dynamic { get; init; }

    /// <summary>The oldest kernel that the note ABI-tag names; null without one, or when it is not Linux's.</summary>
    public KernelVersion? MinimumKernel { get; init; }

    /// <summary>The bits of the GNU property <c>ISA_1_NEEDED</c>: 1 for the baseline of x86-64, 2, 4 and 8 for v2 to v4.</summary>
    public uint? NeededIsa { get; init; }

    /// <summary>The architecture in the words of image configurations; null for one that has no word.</summary>
    public string? Architecture => ElfMachine.ArchitectureOf(this);

    /// <summary>Whether bytes begin as an ELF file does.</summary>
    public static bool IsElf(ReadOnlySpan<byte> start) => start.StartsWith("\u007fELF"u8);

    /// <summary>Reads the headers and the notes.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="InvalidElfException">The kernel would not execute it, and no loader would load it.</exception>
    public static ElfFile Read(IFileBytes file)
    {
        ElfWindow window = new(file);
        Span<byte> ident = stackalloc byte[16];
        window.Read(0, ident);
        if (!IsElf(ident))
        {
            throw new InvalidElfException("it does not begin with \\x7fELF");
        }

        // The kernel looks at neither class nor byte order, but at the machine and at the size of a program header, which
        // are where the file's true form has them; the loaders of libraries look at both.
        window.IsBigEndian = window.Byte(18) == 0 && window.Byte(19) != 0;
        bool is64 = window.Half(42) != 32 || window.Half(54) == 56;
        ushort type = window.Half(16);
        if (type is not (2 or 3))
        {
            throw new InvalidElfException($"its type is {type}, which is neither a program nor a library");
        }

        ulong table = window.Native(is64 ? 32u : 28u, is64);
        uint entrySize = window.Half(is64 ? 54u : 42u);
        uint count = window.Half(is64 ? 56u : 44u);
        window.Byte(is64 ? HeaderSize64 - 1u : HeaderSize32 - 1u); // the whole header is there
        if (entrySize != (is64 ? 56 : 32))
        {
            throw new InvalidElfException($"its program headers have {entrySize} bytes each");
        }

        if (count == 0 || count * entrySize > LongestTable)
        {
            throw new InvalidElfException($"it has {count} program headers");
        }

        ElfFile elf = new()
        {
            Is64 = is64,
            IsBigEndian = window.IsBigEndian,
            Type = type,
            Machine = window.Half(18),
            Flags = window.Word(is64 ? 48u : 36u),
            Segments = [],
            IsMislabelled = ident[4] != (is64 ? 2 : 1) || ident[5] != (window.IsBigEndian ? 2 : 1),
        };
        return ReadProgramHeaders(window, elf, table, entrySize, count);
    }

    private static ElfFile ReadProgramHeaders(ElfWindow window, ElfFile elf, ulong table, uint entrySize, uint count)
    {
        bool is64 = elf.Is64;
        List<ElfSegment> segments = [];
        if (table > long.MaxValue)
        {
            throw new InvalidElfException($"its program headers are at byte {table}");
        }

        for (uint i = 0; i < count; i++)
        {
            ulong at = table + (i * entrySize);
            uint type = window.Word(at);
            ElfSegment segment = new(
                Offset: window.Native(at + (is64 ? 8u : 4u), is64),
                Address: window.Native(at + (is64 ? 16u : 8u), is64),
                FileSize: window.Native(at + (is64 ? 32u : 16u), is64),
                MemorySize: window.Native(at + (is64 ? 40u : 20u), is64),
                Alignment: window.Native(at + (is64 ? 48u : 28u), is64),
                Flags: window.Word(at + (is64 ? 4u : 24u)));
            switch (type)
            {
                case PT_LOAD:
                    segments.Add(segment);
                    break;
                case PT_DYNAMIC:
                    elf = elf with { Dynamic = (segment.Offset, segment.FileSize) };
                    break;
                case PT_INTERP when elf.Interpreter is null:
                    elf = elf with { Interpreter = ReadInterpreter(window, segment) };
                    break;
                case PT_NOTE or PT_GNU_PROPERTY:
                    elf = ReadNotes(window, elf, segment);
                    break;
            }
        }

        return elf with { Segments = segments };
    }

    private static string ReadInterpreter(ElfWindow window, ElfSegment segment)
    {
        if (segment.FileSize is < 2 or > LongestPath)
        {
            throw new InvalidElfException($"the path of its interpreter has {segment.FileSize} bytes");
        }

        byte[] path = new byte[segment.FileSize];
        window.Read(segment.Offset, path);
        return path[^1] == 0 ? window.Text(segment.Offset) : throw new InvalidElfException("the path of its interpreter has no end");
    }

    // Notes are advice: what cannot be read of them is not there, for the kernel and the loaders go on without, too
    private static ElfFile ReadNotes(ElfWindow window, ElfFile elf, ElfSegment segment)
    {
        const uint NT_GNU_ABI_TAG = 1, NT_GNU_PROPERTY_TYPE_0 = 5;
        if (segment.FileSize is 0 or > LongestNotes)
        {
            return elf;
        }

        byte[] bytes = new byte[segment.FileSize];
        try
        {
            window.Read(segment.Offset, bytes);
        }
        catch (InvalidElfException)
        {
            return elf;
        }

        ElfWindow notes = new(new MemoryBytes(bytes)) { IsBigEndian = elf.IsBigEndian };
        ulong alignment = segment.Alignment == 8 ? 8u : 4u;
        ulong length = (ulong)bytes.Length;
        for (ulong at = 0; at + 12 <= length;)
        {
            ulong nameSize = notes.Word(at), valueSize = notes.Word(at + 4);
            uint type = notes.Word(at + 8);
            ulong value = Align(at + 12 + nameSize, alignment);
            if (nameSize > length || valueSize > length || value + valueSize > length)
            {
                break;
            }

            bool isGnu = nameSize == 4 && bytes.AsSpan((int)at + 12, 4).SequenceEqual("GNU\0"u8);
            if (isGnu && type == NT_GNU_ABI_TAG && valueSize >= 16 && notes.Word(value) == 0)
            {
                elf = elf with { MinimumKernel = new((int)Math.Min(notes.Word(value + 4), 999), (int)Math.Min(notes.Word(value + 8), 999), (int)Math.Min(notes.Word(value + 12), 999)) };
            }
            else if (isGnu && type == NT_GNU_PROPERTY_TYPE_0)
            {
                elf = elf with { NeededIsa = ReadProperties(notes, value, value + valueSize, elf) ?? elf.NeededIsa };
            }

            at = Align(value + valueSize, alignment);
        }

        return elf;
    }

    private static uint? ReadProperties(ElfWindow notes, ulong at, ulong end, ElfFile elf)
    {
        const uint GNU_PROPERTY_X86_ISA_1_NEEDED = 0xc0008002;
        while (at + 8 <= end)
        {
            uint type = notes.Word(at);
            ulong size = notes.Word(at + 4);
            if (at + 8 + size > end)
            {
                break;
            }

            if (type == GNU_PROPERTY_X86_ISA_1_NEEDED && size == 4 && elf.Machine is ElfMachine.X86_64 or ElfMachine.I386)
            {
                return notes.Word(at + 8);
            }

            at = Align(at + 8 + size, elf.Is64 ? 8u : 4u);
        }

        return null;
    }

    private static ulong Align(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);
}

/// <summary>A PT_LOAD segment.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Address">Where it begins in memory.</param>
/// <param name="FileSize">Its bytes in the file.</param>
/// <param name="MemorySize">Its bytes in memory.</param>
/// <param name="Alignment">The field <c>p_align</c>.</param>
/// <param name="Flags">1 for executable, 2 for writable, 4 for readable.</param>
public sealed record ElfSegment(ulong Offset, ulong Address, ulong FileSize, ulong MemorySize, ulong Alignment, uint Flags);
