namespace OciTool.Images.Compatibility;

/// <summary>C01 to C05 and C13: the architecture, whether it is emulated, and the level of the processor.</summary>
internal static class PlatformChecks
{
    /// <summary>C01: the architecture and the operating system that the configuration names.</summary>
    public static CheckResult Architecture(ImageFacts image, HostFacts host)
    {
        Platform platform = Platform.Normalize(image.Config.Platform);
        string name = Printable.Shorten($"{platform.Os}/{platform.Architecture}", 60);
        CheckEvidence[] evidence = [new("config", "platform", Printable.Shorten(platform.ToString(), 60)), new("host", "architecture", host.Architecture ?? "unknown")];
        if (platform.Os != "linux")
        {
            return new("C01", CheckLevel.Fail, $"it is for {name}, and this runs images for linux only") { Evidence = evidence };
        }

        if (platform.Architecture.Length == 0)
        {
            return new("C01", CheckLevel.Warn, "the configuration names no architecture") { Evidence = evidence };
        }

        if (host.Architecture is null)
        {
            return new("C01", CheckLevel.Unknown, "the host's architecture is not known") { Evidence = evidence };
        }

        if (platform.Architecture == host.Architecture)
        {
            return new("C01", CheckLevel.Pass, name) { Evidence = evidence };
        }

        if (image.Program is not null)
        {
            return new("C01", CheckLevel.Info, $"{name} on linux/{host.Architecture}: the program decides") { Evidence = evidence };
        }

        return host.Executes?.GetValueOrDefault(platform.Architecture) switch
        {
            "runs" => new("C01", CheckLevel.Info, $"{name} on linux/{host.Architecture}: it is emulated here") { Evidence = evidence },
            null => new("C01", CheckLevel.Unknown, $"{name} on linux/{host.Architecture}: whether that is emulated is not known") { Evidence = evidence },
            var verdict => new("C01", CheckLevel.Fail, $"it is for {name}, and the host is linux/{host.Architecture} without emulation ({Printable.Shorten(verdict, 20)})")
            {
                Evidence = evidence,
                Fix = $"take the image for linux/{host.Architecture}, or install qemu-user-static",
            },
        };
    }

    /// <summary>C02: the variant that the configuration names.</summary>
    public static CheckResult Variant(ImageFacts image, HostFacts host)
    {
        Platform platform = Platform.Normalize(image.Config.Platform);
        if (string.IsNullOrEmpty(platform.Variant) || platform.Architecture != host.Architecture)
        {
            return new("C02", CheckLevel.Pass, "no variant of the processor is asked for");
        }

        string variant = Printable.Shorten(platform.Variant, 20);
        CheckEvidence[] evidence = [new("config", "variant", variant), new("host", "variant", host.Variant ?? "unknown")];
        if (host.Variant is null)
        {
            return new("C02", CheckLevel.Unknown, $"it is for {platform.Architecture}/{variant}, and the host's variant is not known") { Evidence = evidence };
        }

        return PlatformMatcher.Score(new Platform("linux", host.Architecture!, host.Variant), platform) > 0
            ? new("C02", CheckLevel.Pass, $"{variant}, and the host has {host.Variant}") { Evidence = evidence }
            : new("C02", CheckLevel.Warn, $"it is labelled {platform.Architecture}/{variant}, and the host has {host.Variant}")
            {
                Evidence = evidence,
                Fix = "take an image for an older processor",
                Source = "OCI image-spec v1.1.1, image-index.md, Platform Variants",
            };
    }

    /// <summary>C03: whether the program is for what the configuration says.</summary>
    public static CheckResult Label(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C03", image) is { } without)
        {
            return without;
        }

        ElfFile elf = image.Program!;
        string label = Platform.Normalize(image.Config.Platform).Architecture;
        string machine = ElfMachine.Describe(elf) + (ElfMachine.Convention(elf) is { } convention ? $" ({convention})" : "");
        CheckEvidence[] evidence = [new(ProgramChecks.PathOf(image), "e_machine", machine), new("config", "architecture", Printable.Shorten(label, 40))];
        return elf.Architecture == label
            ? new("C03", CheckLevel.Pass, $"the program is {machine}, as the configuration says") { Evidence = evidence }
            : new("C03", CheckLevel.Warn, $"the configuration says {Printable.Shorten(label, 40)}, and the program is {machine}: the program is believed")
            {
                Evidence = evidence,
                Fix = "have the image built again with the right platform",
            };
    }

    /// <summary>C04: whether a program for another architecture is emulated.</summary>
    public static CheckResult Emulation(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C04", image) is { } without)
        {
            return without;
        }

        ElfFile elf = image.Program!;
        string machine = ElfMachine.Describe(elf);
        string probe = elf.Architecture is { } architecture && host.Executes?.TryGetValue(architecture, out string? found) == true ? found : "";
        CheckEvidence[] evidence = [new(ProgramChecks.PathOf(image), "e_machine", machine), new("host", "executes", probe.Length == 0 ? "not tried" : Printable.Shorten(probe, 20))];
        if (host.Architecture is null)
        {
            return new("C04", CheckLevel.Unknown, "the host's architecture is not known") { Evidence = evidence };
        }

        if (elf.Architecture == host.Architecture)
        {
            return new("C04", CheckLevel.Pass, "native, not emulated") { Evidence = evidence };
        }

        ForeignHandler? handler = host.Handlers?.FirstOrDefault(candidate => candidate.Enabled && candidate.Handles(image.Programs[^1].Start.Span));
        if (handler is not null)
        {
            return Handled(image, machine, probe, handler, evidence);
        }

        string where = $"{machine} on {host.Architecture}";
        return probe switch
        {
            "runs" => new("C04", CheckLevel.Pass, $"{where}: the kernel runs it itself") { Evidence = evidence },
            "" when host.Handlers is null => new("C04", CheckLevel.Unknown, $"{where}: whether that is emulated is not known") { Evidence = evidence },
            _ => new("C04", CheckLevel.Fail, $"the program is for {machine}, and the host is {host.Architecture} without emulation")
            {
                Evidence = evidence,
                Fix = "install qemu-user-static, or take the image for this architecture",
                Source = "binfmt_misc, and an attempt to execute such a program",
            },
        };
    }

    private static CheckResult Handled(ImageFacts image, string machine, string probe, ForeignHandler handler, CheckEvidence[] evidence)
    {
        string name = Printable.Shorten(handler.Name, 40);
        evidence = [.. evidence, new("host", $"binfmt_misc {name}", Printable.Shorten($"{handler.Interpreter} flags {handler.Flags}"))];
        if (!handler.IsFixed)
        {
            return image.Interpreters is null && image.Unread is not null ? ProgramChecks.Unread("C04", image)
                : image.Interpreters?.Contains(handler.Interpreter) == true
                ? new("C04", CheckLevel.Warn, $"{machine} is emulated by {name}, with the interpreter of the image itself") { Evidence = evidence }
                : new("C04", CheckLevel.Fail, $"{machine} is handled by {name}, whose interpreter {Printable.Shorten(handler.Interpreter)} is not in the image")
                {
                    Evidence = evidence,
                    Fix = "register the handler with the flag F: install qemu-user-static and binfmt-support again",
                };
        }

        return probe is "" or "runs"
            ? new("C04", CheckLevel.Info, $"{machine} is emulated by {name}: slower, and not in all things like a real one") { Evidence = evidence }
            : new("C04", CheckLevel.Fail, $"{machine} is handled by {name}, and a program of it does not run ({Printable.Shorten(probe, 20)})")
            {
                Evidence = evidence,
                Fix = "install qemu-user-static again",
            };
    }

    /// <summary>C05: the level of x86-64 that the program and its libraries say that they need.</summary>
    public static CheckResult ProcessorLevel(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C05", image) is { } without)
        {
            return without;
        }

        if (image.Program!.Machine != ElfMachine.X86_64 || host.Architecture != "amd64")
        {
            return new("C05", CheckLevel.Pass, "no level of x86-64 is asked for");
        }

        (int level, string path) = (0, "");
        foreach ((string candidate, ElfFile elf) in ProgramChecks.Loaded(image))
        {
            int needed = LevelOf(elf.NeededIsa);
            if (needed > level)
            {
                (level, path) = (needed, candidate);
            }
        }

        string source = $"{Printable.Shorten(path)}: GNU property ISA_1_NEEDED";
        bool isGuess = level == 0;
        if (isGuess)
        {
            (level, source) = BaselineOf(image.OsRelease);
            path = image.OsRelease?.Path ?? "";
        }

        CheckEvidence[] evidence = [new(Printable.Shorten(path), "x86-64 level", level == 0 ? "not said" : $"v{level}"), new("host", "variant", host.Variant ?? "unknown")];
        int? have = host.Variant is ['v', >= '1' and <= '9' and var digit] ? digit - '0' : null;
        bool isUnread = !image.IsLoadedWhole || (isGuess && image.OsRelease is null && image.UnreadRelease is not null);
        if (isUnread && (have is null || have >= level))
        {
            return new("C05", CheckLevel.Unknown, $"not looked at: {Printable.Shorten(image.Unread ?? image.UnreadRelease ?? "")}") { Evidence = evidence };
        }

        if (level <= 1)
        {
            return new("C05", CheckLevel.Pass, $"x86-64 baseline (host {host.Variant ?? "unknown"})") { Evidence = evidence };
        }

        if (have is null)
        {
            return new("C05", CheckLevel.Unknown, $"it needs x86-64-v{level}, and the host's level is not known") { Evidence = evidence };
        }

        return have >= level
            ? new("C05", CheckLevel.Pass, $"x86-64-v{level} (host {host.Variant})") { Evidence = evidence, Source = source }
            : new("C05", CheckLevel.Fail, $"it needs x86-64-v{level}, and the processor has {host.Variant}: it would end with status 127 or an illegal instruction")
            {
                Evidence = evidence,
                Source = source,
                AsOf = isGuess ? "2026-11-01" : null,
                Fix = "take an image that is built for an older processor, or a newer machine",
            };
    }

    private static int LevelOf(uint? bits) => bits switch
    {
        null or 0 => 0,
        >= 16 => 5,
        >= 8 => 4,
        >= 4 => 3,
        >= 2 => 2,
        _ => 1,
    };

    // what distributions build for, where their files do not say it
    private static (int Level, string Source) BaselineOf(OsRelease? release)
    {
        if (release is null)
        {
            return (0, "");
        }

        int major = KernelVersion.TryParse($"{release.VersionId}.0", out KernelVersion version) ? version.Major : 0;
        return release.Id switch
        {
            "rhel" or "centos" or "rocky" or "almalinux" or "ol" => (major >= 10 && release.Id != "almalinux" ? 3 : major >= 9 ? 2 : 1, "release notes of Red Hat Enterprise Linux, Architectures"),
            "chainguard" or "wolfi" => (2, "chainguard-images, 1658"),
            _ => (1, "the distribution's baseline"),
        };
    }

    /// <summary>C13: programs of 32 bits on a kernel of 64.</summary>
    public static CheckResult Width(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C13", image) is { } without)
        {
            return without;
        }

        ElfFile elf = image.Program!;
        if (elf.Is64 || elf.Architecture == host.Architecture)
        {
            return new("C13", CheckLevel.Pass, $"{(elf.Is64 ? 64 : 32)} bits");
        }

        bool isSibling = (elf.Architecture, host.Architecture) is ("386" or "amd64p32", "amd64") or ("arm", "arm64");
        if (!isSibling || host.Handlers?.Any(handler => handler.Enabled && handler.Handles(image.Programs[^1].Start.Span)) == true)
        {
            return new("C13", CheckLevel.Pass, "32 bits of another architecture: see C04");
        }

        CheckEvidence[] evidence = [new("host", $"executes {elf.Architecture}", Printable.Shorten(host.Executes?.GetValueOrDefault(elf.Architecture!) ?? "not tried", 20))];
        return host.Executes?.GetValueOrDefault(elf.Architecture!) switch
        {
            "runs" => new("C13", CheckLevel.Pass, $"32 bits ({elf.Architecture}), which the kernel runs") { Evidence = evidence },
            null => new("C13", CheckLevel.Unknown, $"32 bits ({elf.Architecture}): whether the kernel runs that is not known") { Evidence = evidence },
            _ => new("C13", CheckLevel.Fail, $"32 bits ({elf.Architecture}), which the kernel of this {host.Architecture} machine does not run")
            {
                Evidence = evidence,
                Fix = "take the image of 64 bits, or a kernel with emulation of 32 bits",
            },
        };
    }
}
