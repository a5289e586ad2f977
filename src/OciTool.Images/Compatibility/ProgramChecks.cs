namespace OciTool.Images.Compatibility;

/// <summary>C06 to C08: whether the command is there, can be executed, and finds what it loads.</summary>
internal static class ProgramChecks
{
    private const string PageText = "ELF gABI, Program Loading";

    /// <summary>C06: the loader that the program names.</summary>
    public static CheckResult Interpreter(ImageFacts image, HostFacts host)
    {
        if (WithoutProgram("C06", image) is { } without)
        {
            return without;
        }

        if (image.Program!.Interpreter is not { } path)
        {
            return new("C06", CheckLevel.Pass, "static: no interpreter is needed");
        }

        string name = Printable.Shorten(path);
        CheckEvidence[] evidence = [new(PathOf(image), "PT_INTERP", name)];
        bool isSame = image.Loader?.Elf is { } loader && loader.Machine == image.Program.Machine && loader.Is64 == image.Program.Is64;
        return image.Loader?.Kind switch
        {
            ProgramKind.Elf when isSame => new("C06", CheckLevel.Pass, $"{name} is there") { Evidence = evidence },
            ProgramKind.Elf => new("C06", CheckLevel.Fail, $"the interpreter {name} is for {ElfMachine.Describe(image.Loader.Elf!)}, and the program for {ElfMachine.Describe(image.Program)}") { Evidence = evidence },
            null when image.Unread is not null => Unread("C06", image),
            ProgramKind.Absent or null => new("C06", CheckLevel.Fail, $"{PathOf(image)} needs the interpreter {name}{FamilyOf(path)}, which is not in the image")
            {
                Evidence = evidence,
                Fix = "link the program statically, or build it on the distribution of the image",
            },
            ProgramKind.NotExecutable => new("C06", CheckLevel.Fail, $"the interpreter {name} may not be executed") { Evidence = evidence, Fix = $"chmod +x {name}" },
            _ => new("C06", CheckLevel.Fail, $"the interpreter {name} is not a program{(image.Loader.Damage is { } damage ? $": {damage}" : "")}") { Evidence = evidence },
        };
    }

    /// <summary>C07: whether the command can be executed, through all its scripts.</summary>
    public static CheckResult Command(ImageFacts image, HostFacts host)
    {
        if (image.Command is null && image.Unread is null)
        {
            return new("C07", CheckLevel.Unknown, "the image names no command: what is run has to be named") { Fix = "name a command behind the image" };
        }

        for (int i = 0; i < image.Programs.Count; i++)
        {
            if (Problem(image, i, host) is { } problem)
            {
                return problem;
            }
        }

        if (image.Unread is not null && image.Program is null)
        {
            return Unread("C07", image);
        }

        return image.Programs.Count > 1
            ? new("C07", CheckLevel.Pass, $"the script {Printable.Shorten(image.Programs[0].Path)} is run by {Printable.Shorten(image.Programs[^1].Path)}")
            : new("C07", CheckLevel.Pass, $"{Printable.Shorten(image.Programs[0].Path)} resolves");
    }

    private static CheckResult? Problem(ImageFacts image, int index, HostFacts host)
    {
        ProgramFile program = image.Programs[index];
        string name = Printable.Shorten(program.Path);
        string by = index == 0 ? "the command" : $"the interpreter of {Printable.Shorten(image.Programs[index - 1].Path)},";
        CheckResult Fail(string summary, string? fix = null) =>
            new("C07", CheckLevel.Fail, summary) { Evidence = [new(name, "kind", program.Kind.ToString())], Fix = fix };
        switch (program.Kind)
        {
            case ProgramKind.Absent when index > 0 && image.Programs[index - 1].Script is { IsBrokenByCarriageReturn: true }:
                string script = Printable.Shorten(image.Programs[index - 1].Path);
                return new("C07", CheckLevel.Fail, $"the first line of {script} ends in CR LF: the kernel looks for {name}")
                {
                    Evidence = [new(script, $"byte {1 + image.Programs[index - 1].Script!.Interpreter.Length}", "0x0d")],
                    Fix = $"write the script with Unix line ends: sed -i 's/\\r$//' {script}",
                    Source = "the kernel's fs/binfmt_script.c",
                };
            case ProgramKind.Absent:
                return Fail($"{by} {name} is not in the image");
            case ProgramKind.NotRegular:
                return Fail($"{by} {name} is not a regular file");
            case ProgramKind.NotExecutable:
                return Fail($"{by} {name} may not be executed{(image.User is { Id: > 0 and var user } ? $" by user {user}" : "")}", $"chmod +x {name}");
            case ProgramKind.Damaged:
                return Fail($"{by} {name} is damaged: {program.Damage}");
            case ProgramKind.Script when program.Script!.IsTooLong:
                return Fail($"the first line of {name} is longer than {ScriptHeader.Limit} bytes, which the kernel does not read");
            case ProgramKind.Script when program.Script!.Interpreter.Length == 0:
                return Fail($"the first line of {name} names no interpreter");
            case ProgramKind.Script when program.Script!.IsLongForOldKernels && host.KernelNumber is { } kernel && kernel < new KernelVersion(5, 1):
                return Fail($"the first line of {name} is longer than 128 bytes, which kernel {kernel} does not read");
            case ProgramKind.Script when index == image.Programs.Count - 1 && image.Unread is null:
                return Fail($"{name} leads through more scripts than the kernel follows");
            case ProgramKind.Elf when program.Damage is { } damage:
                return Fail($"{by} {name} is damaged: {damage}");
            case ProgramKind.Elf when program.Elf!.Machine is var machine && index > 0 && image.Programs[index - 1].Script is { EndsWithCarriageReturn: true, IsBrokenByCarriageReturn: false }:
                return new("C07", CheckLevel.Warn, $"the first line of {Printable.Shorten(image.Programs[index - 1].Path)} ends in CR LF: the interpreter gets the CR in its argument");
            case ProgramKind.Other:
                ForeignHandler? handler = host.Handlers?.FirstOrDefault(candidate => candidate.Enabled && candidate.Handles(program.Start.Span));
                return handler is not null
                    ? new("C07", CheckLevel.Warn, $"{name} is run by the host's handler {Printable.Shorten(handler.Name, 40)}")
                    : Fail(
                        program.Start.Length == 0 ? $"{by} {name} is empty" : $"{by} {name} is neither a program nor a script that begins with #!",
                        "begin the script with #!/bin/sh");
            default:
                return null;
        }
    }

    /// <summary>C08: the libraries and the versions of their symbols.</summary>
    public static CheckResult Libraries(ImageFacts image, HostFacts host)
    {
        if (WithoutProgram("C08", image) is { } without)
        {
            return without;
        }

        if (image.Program!.Interpreter is null)
        {
            return new("C08", CheckLevel.Pass, "static: no library is needed");
        }

        if (image.Libraries is not { } libraries)
        {
            return image.Unread is null ? new("C08", CheckLevel.Info, "not looked at: there is no interpreter") : Unread("C08", image);
        }

        if (libraries.Missing is [var missing, ..])
        {
            return new("C08", CheckLevel.Fail, missing.Damage is { } damage
                ? $"the library {Printable.Shorten(missing.Name)} is damaged: {damage}"
                : $"{Printable.Shorten(missing.By)} needs {Printable.Shorten(missing.Name)}, which is not in the image")
            {
                Evidence = [.. libraries.Missing.Take(20).Select(library => new CheckEvidence(Printable.Shorten(library.By), "DT_NEEDED", Printable.Shorten(library.Name)))],
                Fix = "install the package that has the library",
                Source = "ld.so(8)",
            };
        }

        if (libraries.MissingVersions is [var version, ..])
        {
            return new("C08", CheckLevel.Fail, $"{Printable.Shorten(version.By)} needs {Printable.Shorten(version.Version, 60)} of {Printable.Shorten(version.Library)}, which is older")
            {
                Evidence = [.. libraries.MissingVersions.Take(20).Select(lack => new CheckEvidence(Printable.Shorten(lack.By), ".gnu.version_r", Printable.Shorten(lack.Version, 60)))],
                Fix = "build the program on the distribution of the image, or take a newer one",
                Source = "ld.so(8)",
            };
        }

        return libraries.Unreadable is [var unreadable, ..]
            ? new("C08", CheckLevel.Unknown, $"a dynamic section cannot be read: {Printable.Shorten(unreadable)}")
            : new("C08", CheckLevel.Pass, $"{libraries.Objects.Count - 1} {(libraries.Objects.Count == 2 ? "library resolves" : "libraries resolve")}");
    }

    /// <summary>Says why there is no program to look at; null when there is one.</summary>
    public static CheckResult? WithoutProgram(string id, ImageFacts image) =>
        image.Program is not null ? null
        : image.Unread is not null ? Unread(id, image)
        : new(id, CheckLevel.Info, "not looked at: there is no program");

    /// <summary>The answer where what it depends on was not read.</summary>
    public static CheckResult Unread(string id, ImageFacts image) => new(id, CheckLevel.Unknown, $"not looked at: {Printable.Shorten(image.Unread ?? "")}");

    /// <summary>The path of the program, safe to print.</summary>
    public static string PathOf(ImageFacts image) => image.Programs.Count == 0 ? "" : Printable.Shorten(image.Programs[^1].Path);

    /// <summary>The program and all that is loaded with it.</summary>
    public static IEnumerable<(string Path, ElfFile Elf)> Loaded(ImageFacts image) =>
        image.Libraries is { } libraries ? libraries.Objects.Select(loaded => (loaded.Path, loaded.Elf))
        : image.Program is { } elf ? [(image.Programs[^1].Path, elf)]
        : [];

    /// <summary>Whether segments lie behind the end of the file, where reading them is a bus error.</summary>
    public static string? Truncation(ElfFile elf, long length)
    {
        foreach (ElfSegment segment in elf.Segments)
        {
            ulong end = segment.Offset > long.MaxValue || segment.FileSize > long.MaxValue ? ulong.MaxValue : segment.Offset + segment.FileSize;
            if (segment.FileSize > 0 && (end == ulong.MaxValue || (end + 0xfff) / 0x1000 > ((ulong)length + 0xfff) / 0x1000))
            {
                return $"it is cut off: its segments need {(end == ulong.MaxValue ? "more" : end)} bytes, and it has {length} ({PageText})";
            }
        }

        return null;
    }

    private static string FamilyOf(string path) =>
        LibrarySearch.IsMusl(path) ? " (musl)" : path.Contains("/ld-linux", StringComparison.Ordinal) || path.Contains("/ld64.so", StringComparison.Ordinal) ? " (glibc)" : "";
}
