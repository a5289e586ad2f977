namespace OciTool.Images.Compatibility;

/// <summary>What is known of an image: what its checks are decided by.</summary>
public sealed record ImageFacts
{
    /// <summary>Its configuration.</summary>
    public required ImageConfig Config { get; init; }

    /// <summary>Its manifest; null where only a configuration is known.</summary>
    public Manifest? Manifest { get; init; }

    /// <summary>Why what is executed was not read, or not all of it; null when it was.</summary>
    public string? Unread { get; init; }

    /// <summary>Why its os-release was not read; null when it was, or when there is none.</summary>
    public string? UnreadRelease { get; init; }

    /// <summary>Why not all files were looked at; null when they were, or when nothing depends on them.</summary>
    public string? UnreadTree { get; init; }

    /// <summary>What was read of its layers; null for an image of the store.</summary>
    public LayersRead? Read { get; init; }

    /// <summary>What its os-release says; null when it has none, or was not read.</summary>
    public OsRelease? OsRelease { get; init; }

    /// <summary>The word that names the program; null when the image names none.</summary>
    public string? Command { get; init; }

    /// <summary>Who executes it; null where that was not found out.</summary>
    public CommandUser? User { get; init; }

    /// <summary>The files that the kernel opens to execute the command: scripts, and at last a program; empty without a command.</summary>
    public IReadOnlyList<ProgramFile> Programs { get; init; } = [];

    /// <summary>The loader that the program wants; null for a static one.</summary>
    public ProgramFile? Loader { get; init; }

    /// <summary>What is loaded with the program; null for a static one.</summary>
    public LoadedLibraries? Libraries { get; init; }

    /// <summary>The C library that is loaded with the program.</summary>
    public Libc? Libc { get; init; }

    /// <summary>The version of systemd, where the command is systemd and its version is known.</summary>
    public int? SystemdVersion { get; init; }

    /// <summary>Whether the command is systemd; null where that was not found out.</summary>
    public bool? IsSystemd { get; init; }

    /// <summary>What all files need; null when nothing had to be looked at.</summary>
    public TreeFacts? Tree { get; init; }

    /// <summary>Those interpreters of the host's handlers that the image has; null when the files were not read.</summary>
    public IReadOnlySet<string>? Interpreters { get; init; }

    /// <summary>The program that is executed at last; null when there is none.</summary>
    public ElfFile? Program => Programs is [.., { Elf: { } elf }] ? elf : null;

    /// <summary>Whether all that is loaded with the program is known.</summary>
    public bool IsLoadedWhole => Program is { Interpreter: null } || Unread is null;

    /// <summary>The architecture of the program, or else what the configuration says.</summary>
    public string Architecture => Program?.Architecture ?? Platform.Normalize(Config.Platform).Architecture;
}

/// <summary>One file that is opened to execute a command.</summary>
/// <param name="Path">Its path, as it is opened.</param>
/// <param name="Kind">What it is.</param>
public sealed record ProgramFile(string Path, ProgramKind Kind)
{
    /// <summary>Its first bytes, 256 at most.</summary>
    public ReadOnlyMemory<byte> Start { get; init; }

    /// <summary>The first line of a script.</summary>
    public ScriptHeader? Script { get; init; }

    /// <summary>The headers of a program.</summary>
    public ElfFile? Elf { get; init; }

    /// <summary>What is wrong with a damaged program.</summary>
    public string? Damage { get; init; }
}

/// <summary>What executing a file comes to.</summary>
public enum ProgramKind
{
    /// <summary>A program.</summary>
    Elf,

    /// <summary>A script.</summary>
    Script,

    /// <summary>Nothing is there.</summary>
    Absent,

    /// <summary>It is a directory, a device or the like.</summary>
    NotRegular,

    /// <summary>The user may not execute it.</summary>
    NotExecutable,

    /// <summary>It begins like a program and is none.</summary>
    Damaged,

    /// <summary>Neither a program nor a script.</summary>
    Other,
}

/// <summary>What a dynamic loader loads.</summary>
/// <param name="Objects">The program and its libraries, in the order of loading.</param>
/// <param name="Missing">Libraries that are not found.</param>
/// <param name="MissingVersions">Versions of symbols that a library does not have.</param>
/// <param name="Unreadable">Files whose dynamic section cannot be read, so that no answer is certain.</param>
public sealed record LoadedLibraries(
    IReadOnlyList<LoadedObject> Objects,
    IReadOnlyList<MissingLibrary> Missing,
    IReadOnlyList<MissingVersion> MissingVersions,
    IReadOnlyList<string> Unreadable);

/// <summary>A file that is loaded.</summary>
/// <param name="Path">Its path in the image.</param>
/// <param name="Elf">Its headers.</param>
/// <param name="Dynamic">Its dynamic section.</param>
public sealed record LoadedObject(string Path, ElfFile Elf, ElfDynamic Dynamic);

/// <summary>A library that is needed and not there.</summary>
/// <param name="Name">Its name, as it is needed.</param>
/// <param name="By">The file that needs it.</param>
/// <param name="Damage">What is wrong with the file that was found; null when none was.</param>
public sealed record MissingLibrary(string Name, string By, string? Damage = null);

/// <summary>A version of symbols that is needed and that the library does not have.</summary>
/// <param name="Version">For example <c>GLIBC_2.38</c>.</param>
/// <param name="Library">The library's path.</param>
/// <param name="By">The file that needs it.</param>
public sealed record MissingVersion(string Version, string Library, string By);
