namespace OciTool.Images.Compatibility;

/// <summary>Finds out about an image from its files, without executing anything.</summary>
public static class ImageReading
{
    private const int DeepestScript = 5; // the kernel gives up behind that many interpreters

    /// <summary>Reads what the checks need.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="files">Its files; null when they are not at hand.</param>
    /// <param name="host">Where it is to run; says whether all files have to be looked at.</param>
    /// <param name="words">The command to look at; null for the image's own.</param>
    /// <param name="user">Who executes it; null for the image's user.</param>
    public static ImageFacts Read(ImageConfig config, IImageFiles? files, HostFacts host, IReadOnlyList<string>? words = null, CommandUser? user = null)
    {
        words ??= CommandSearch.WordsOf(config.Config);
        ImageFacts facts = new() { Config = config, Command = words.Count == 0 ? null : words[0] };
        if (files is null)
        {
            const string why = "the image's files are not at hand";
            return facts with { Unread = why, UnreadRelease = why, UnreadTree = why };
        }

        // each by itself: what one of them found stays, whatever stops the next one
        try
        {
            ReadProgram(ref facts, files, host, user);
        }
        catch (UnreadableImageException e)
        {
            facts = facts with { Unread = e.Message };
        }

        try
        {
            facts = facts with { OsRelease = ReadRelease(files, "/etc/os-release") ?? ReadRelease(files, "/usr/lib/os-release") };
        }
        catch (UnreadableImageException e)
        {
            facts = facts with { UnreadRelease = e.Message };
        }

        try
        {
            return HostChecks.NeedsTree(host) ? facts with { Tree = files.ReadTree() } : facts;
        }
        catch (UnreadableImageException e)
        {
            return facts with { UnreadTree = e.Message };
        }
    }

    private static OsRelease? ReadRelease(IImageFiles files, string path) =>
        FileText.Read(files, path, OsRelease.MaxSize) is { } bytes ? OsRelease.Parse(path, bytes) : null;

    private static void ReadProgram(ref ImageFacts facts, IImageFiles files, HostFacts host, CommandUser? who)
    {
        if (facts.Command is not { } command)
        {
            return;
        }

        ExecutionConfig? config = facts.Config.Config;
        CommandUser user = who ?? CommandSearch.UserOf(config, files);
        List<ProgramFile> programs = [FindCommand(command, config, files, user)];
        facts = facts with { User = user, Programs = programs };
        facts = ReadSystemd(facts, files);
        while (programs[^1] is { Kind: ProgramKind.Script, Script: { IsTooLong: false, Interpreter.Length: > 0 } script } && programs.Count <= DeepestScript)
        {
            programs.Add(Look(CommandSearch.Absolute(config?.WorkingDir is { Length: > 0 } directory ? directory : "/", script.Interpreter), files, user));
        }

        if (programs[^1] is not { Elf: { } elf })
        {
            return;
        }

        if (elf.Architecture != host.Architecture)
        {
            facts = facts with { Interpreters = InterpretersOf(programs[^1], files, host) };
        }

        ProgramFile? loader = elf.Interpreter is { } path ? Look(path, files, user) : null;
        facts = facts with { Loader = loader };
        if (loader is not { Kind: ProgramKind.Elf })
        {
            return;
        }

        LoadedLibraries libraries = new LibrarySearch(files, elf, loader, CommandSearch.Variable(config, "LD_LIBRARY_PATH"))
            .Load(files.Find(programs[^1].Path)?.RealPath ?? programs[^1].Path);
        facts = facts with { Libraries = libraries, Libc = FindLibc(libraries, loader, files) };
    }

    // only a handler that opens its interpreter in the container needs it there
    private static HashSet<string> InterpretersOf(ProgramFile program, IImageFiles files, HostFacts host) =>
    [
        .. (host.Handlers ?? []).Where(handler => handler.Enabled && !handler.IsFixed && handler.Handles(program.Start.Span))
            .Select(handler => handler.Interpreter).Where(path => files.Find(path)?.Kind == ImageFileKind.Regular),
    ];

    private static ProgramFile FindCommand(string command, ExecutionConfig? config, IImageFiles files, CommandUser user)
    {
        ProgramFile? telling = null;
        foreach (string path in CommandSearch.PathsOf(command, config))
        {
            ProgramFile program = Look(path, files, user);
            if (program.Kind is not (ProgramKind.Absent or ProgramKind.NotRegular or ProgramKind.NotExecutable))
            {
                return program;
            }

            telling = program.Kind == ProgramKind.Absent ? telling : program;
        }

        return telling ?? new ProgramFile(command, ProgramKind.Absent);
    }

    /// <summary>Looks at a file as execve(2) would.</summary>
    private static ProgramFile Look(string path, IImageFiles files, CommandUser user)
    {
        ImageFile? found = files.Find(path);
        if (found is null)
        {
            return new ProgramFile(path, ProgramKind.Absent);
        }

        if (found.Kind != ImageFileKind.Regular)
        {
            return new ProgramFile(path, ProgramKind.NotRegular);
        }

        if (!found.IsExecutableBy(user.Id, user.Groups) || (user.Id != 0 && !MayReach(found.RealPath, files, user)))
        {
            return new ProgramFile(path, ProgramKind.NotExecutable);
        }

        IFileBytes? file = files.Open(path);
        using IDisposable? owned = file as IDisposable;
        if (file is null)
        {
            return new ProgramFile(path, ProgramKind.Absent);
        }

        byte[] start = FileText.Read(file, ScriptHeader.Limit);
        ProgramFile program = new(path, ProgramKind.Other) { Start = start };
        if (ScriptHeader.Read(start) is { } script)
        {
            return program with { Kind = ProgramKind.Script, Script = script };
        }

        if (!ElfFile.IsElf(start))
        {
            return program;
        }

        try
        {
            return program with { Kind = ProgramKind.Elf, Elf = ElfFile.Read(file), Damage = ProgramChecks.Truncation(ElfFile.Read(file), file.Length) };
        }
        catch (InvalidElfException e)
        {
            return program with { Kind = ProgramKind.Damaged, Damage = e.Message };
        }
    }

    private static bool MayReach(string path, IImageFiles files, CommandUser user)
    {
        for (int end = path.IndexOf('/', 1); end > 0; end = path.IndexOf('/', end + 1))
        {
            if (files.Find(path[..end]) is { } directory && !directory.IsExecutableBy(user.Id, user.Groups))
            {
                return false;
            }
        }

        return true;
    }

    private static Libc? FindLibc(LoadedLibraries libraries, ProgramFile loader, IImageFiles files)
    {
        bool isMusl = LibrarySearch.IsMusl(loader.Path);
        string? path = isMusl ? loader.Path
            : libraries.Objects.FirstOrDefault(loaded => loaded.Dynamic.SoName == "libc.so.6")?.Path;
        if (path is null || files.Open(files.Find(path)?.RealPath ?? path) is not { } file)
        {
            return null;
        }

        using IDisposable? owned = file as IDisposable;
        return Libc.Identify(files.Find(path)?.RealPath ?? path, file);
    }

    private static ImageFacts ReadSystemd(ImageFacts facts, IImageFiles files)
    {
        // the same names that podman takes for systemd (--systemd=true)
        string path = facts.Programs[0].Path;
        string name = path[(path.LastIndexOf('/') + 1)..];
        if (name is not ("systemd" or "init") || facts.Programs[0].Kind == ProgramKind.Absent
            || (name == "init" && path is not ("/sbin/init" or "/usr/sbin/init" or "/usr/local/sbin/init")))
        {
            return facts with { IsSystemd = false };
        }

        string? real = files.Find(path)?.RealPath;
        if (name == "init" && real?.EndsWith("/systemd", StringComparison.Ordinal) != true)
        {
            return facts with { IsSystemd = false }; // sysvinit, openrc, busybox
        }

        int? version = null;
        foreach (string directory in (ReadOnlySpan<string>)["/usr/lib/systemd", "/lib/systemd", "/usr/lib64/systemd"])
        {
            foreach (string entry in files.List(directory))
            {
                if (entry.StartsWith("libsystemd-shared-", StringComparison.Ordinal)
                    && int.TryParse(new string([.. entry["libsystemd-shared-".Length..].TakeWhile(char.IsAsciiDigit)]), out int number))
                {
                    version ??= number;
                }
            }
        }

        return facts with { IsSystemd = true, SystemdVersion = version };
    }
}
