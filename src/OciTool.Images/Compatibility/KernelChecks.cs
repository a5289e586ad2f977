namespace OciTool.Images.Compatibility;

/// <summary>C09 to C12, C14 and C15: what the image asks of the kernel.</summary>
internal static class KernelChecks
{
    /// <summary>C09: the oldest kernel that the program and its libraries name.</summary>
    public static CheckResult OldestKernel(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C09", image) is { } without)
        {
            return without;
        }

        KernelVersion needed = default;
        string path = "";
        foreach ((string candidate, ElfFile elf) in ProgramChecks.Loaded(image))
        {
            if (elf.MinimumKernel is { } minimum && minimum > needed)
            {
                (needed, path) = (minimum, candidate);
            }
        }

        if (!image.IsLoadedWhole)
        {
            return ProgramChecks.Unread("C09", image);
        }

        if (path.Length == 0)
        {
            return new("C09", CheckLevel.Pass, "no oldest kernel is named");
        }

        CheckEvidence[] evidence = [new(Printable.Shorten(path), ".note.ABI-tag", needed.ToString()), new("host", "kernel", Printable.Shorten(host.Kernel ?? "unknown", 60))];
        if (host.KernelNumber is not { } kernel)
        {
            return new("C09", CheckLevel.Unknown, $"kernel >= {needed}, and the host's is not known") { Evidence = evidence };
        }

        if (kernel >= needed)
        {
            return new("C09", CheckLevel.Pass, $"kernel >= {needed} (host {kernel})") { Evidence = evidence };
        }

        bool isChecked = image.Libc is not { Family: LibcFamily.Musl } && image.Libc?.Version is not { Major: 2, Minor: >= 36 } && image.Program!.Interpreter is not null;
        return isChecked
            ? new("C09", CheckLevel.Fail, $"{Printable.Shorten(path)} needs kernel >= {needed}, and the host has {kernel}: its loader will not find it")
            {
                Evidence = evidence,
                Source = "glibc up to 2.35 checks the note ABI-tag",
                Fix = "a newer kernel; or strip --remove-section=.note.ABI-tag, which hides the question",
            }
            : new("C09", CheckLevel.Info, $"{Printable.Shorten(path)} names kernel >= {needed}, the host has {kernel}, and nobody checks it")
            {
                Evidence = evidence,
                Source = "glibc 2.36 removed the check",
            };
    }

    /// <summary>C10: the C library.</summary>
    public static CheckResult CLibrary(ImageFacts image, HostFacts host) =>
        ProgramChecks.WithoutProgram("C10", image)
        ?? (!image.IsLoadedWhole && image.Libc is null ? ProgramChecks.Unread("C10", image)
            : image.Program!.Interpreter is null ? new("C10", CheckLevel.Info, "static, without a C library of the image")
            : image.Libc is { } libc ? new("C10", CheckLevel.Info, libc.Name) { Evidence = [new(Printable.Shorten(libc.Path), "version", libc.Name)] }
            : new("C10", CheckLevel.Info, "no C library that is known"));

    /// <summary>C11: whether calls that the C library makes are answered, and not forbidden.</summary>
    public static CheckResult SystemCalls(ImageFacts image, HostFacts host)
    {
        if (host.SystemCalls is not { } calls)
        {
            return new("C11", CheckLevel.Unknown, "which system calls the host has is not known");
        }

        // times of 64 bits are another check's
        string[] forbidden = [.. calls.Where(call => call is { Value: "EPERM", Key: not HostFacts.WideTimeCall }).Select(call => call.Key).Order(StringComparer.Ordinal)];
        CheckEvidence[] evidence = [.. calls.Where(call => call is { Value: not "ok", Key: not HostFacts.WideTimeCall }).OrderBy(call => call.Key, StringComparer.Ordinal)
            .Select(call => new CheckEvidence("host", Printable.Shorten(call.Key, 40), Printable.Shorten(call.Value, 20)))];
        if (forbidden.Length > 0)
        {
            // glibc makes a thread another way only when clone3 does not exist: a filter that says EPERM breaks every thread
            bool isFatal = forbidden.Contains("clone3") && image.Libc is { Family: LibcFamily.Glibc, Version: { Major: 2, Minor: >= 34 } };
            CheckLevel level = isFatal ? CheckLevel.Fail
                : forbidden.Contains("clone3") && image.Libc is null && image.Unread is not null ? CheckLevel.Unknown
                : CheckLevel.Warn;
            return new("C11", level, $"a filter around this machine forbids {string.Join(", ", forbidden.Select(call => Printable.Shorten(call, 40)))}")
            {
                Evidence = evidence,
                Fix = "update the engine or libseccomp that this machine itself runs under",
                Source = "glibc falls back when a call does not exist (ENOSYS), not when it is forbidden (EPERM)",
            };
        }

        string[] absent = [.. calls.Where(call => call is { Value: "ENOSYS", Key: not HostFacts.WideTimeCall }).Select(call => call.Key).Order(StringComparer.Ordinal)];
        if (absent.Contains("mount_setattr"))
        {
            return new("C11", CheckLevel.Warn, $"this kernel lacks {string.Join(", ", absent.Select(call => Printable.Shorten(call, 40)))}: images run, but not with oci, which needs Linux 5.12")
            {
                Evidence = evidence,
                Fix = "boot a newer kernel, or run the image with another engine",
            };
        }

        return absent.Length == 0
            ? new("C11", CheckLevel.Pass, "every system call that was tried is there")
            : new("C11", CheckLevel.Info, $"this kernel lacks {string.Join(", ", absent.Select(call => Printable.Shorten(call, 40)))}, for which C libraries have another way") { Evidence = evidence };
    }

    /// <summary>C12: whether segments fit the pages of the host.</summary>
    public static CheckResult PageSize(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C12", image) is { } without)
        {
            return without;
        }

        if (image.Architecture != host.Architecture)
        {
            return new("C12", CheckLevel.Pass, "not native: the emulator maps the pages");
        }

        if (host.PageSize is not { } size || size <= 0)
        {
            return new("C12", CheckLevel.Unknown, "the host's page size is not known");
        }

        foreach ((string path, ElfFile elf) in ProgramChecks.Loaded(image))
        {
            ulong page = (ulong)size;
            foreach (ElfSegment segment in elf.Segments)
            {
                // the kernel maps a program whose segments happen to lie right; a loader asks for p_align itself
                bool isCongruent = (segment.Address - segment.Offset) % page == 0;
                bool isAligned = segment.Alignment % page == 0;
                if (!isCongruent || (!isAligned && (path != image.Programs[^1].Path || (segment.Alignment > 1 && elf.Segments.Count > 1))))
                {
                    return new("C12", CheckLevel.Fail, $"{Printable.Shorten(path)} is aligned to pages of {segment.Alignment} bytes, and the host has {page}")
                    {
                        Evidence = [new(Printable.Shorten(path), "p_align", $"0x{segment.Alignment:x}"), new("host", "page size", $"{page}")],
                        Fix = "build it with -Wl,-z,max-page-size=65536, or take a kernel with smaller pages",
                    };
                }
            }
        }

        return image.IsLoadedWhole ? new("C12", CheckLevel.Pass, $"pages of {size} bytes fit") : ProgramChecks.Unread("C12", image);
    }

    /// <summary>C14: times of 64 bits in programs of 32.</summary>
    public static CheckResult WideTime(ImageFacts image, HostFacts host)
    {
        if (ProgramChecks.WithoutProgram("C14", image) is { } without)
        {
            return without;
        }

        if (image.Program!.Is64)
        {
            return new("C14", CheckLevel.Pass, "64 bits");
        }

        string? answer = host.SystemCalls?.GetValueOrDefault(HostFacts.WideTimeCall);
        CheckEvidence[] evidence = [new("host", HostFacts.WideTimeCall, Printable.Shorten(answer ?? "not tried", 20))];
        bool needsWide = image.Libc is { Family: LibcFamily.Musl, Version: var version } && version >= new KernelVersion(1, 2);
        if (answer == "EPERM")
        {
            // glibc takes what the kernel gives without a call first; musl 1.2 has more calls of this kind, and filters that lack one lack all
            return new(
                "C14", needsWide ? CheckLevel.Fail : CheckLevel.Warn,
                $"{image.Libc?.Name ?? "the program"} {(needsWide ? "needs" : "may need")} {HostFacts.WideTimeCall}, which a filter around this machine forbids")
            {
                Evidence = evidence,
                Fix = "update the engine and libseccomp that this machine runs under (docker 19.03.9, libseccomp 2.4.2)",
                Source = "Alpine 3.13 release notes, time64",
            };
        }

        if (!image.IsLoadedWhole && image.Libc is null)
        {
            return ProgramChecks.Unread("C14", image);
        }

        return !needsWide ? new("C14", CheckLevel.Info, "32 bits, probably with times that end in 2038")
            : answer is null ? new("C14", CheckLevel.Unknown, $"whether the host has {HostFacts.WideTimeCall} is not known")
            : new("C14", CheckLevel.Pass, answer == "ok" ? "times of 64 bits" : "times of 64 bits, by calls of 32: this kernel has no others") { Evidence = evidence };
    }

    /// <summary>C15: systemd, and the cgroups that it takes.</summary>
    public static CheckResult Systemd(ImageFacts image, HostFacts host)
    {
        if (image.IsSystemd is null && image.Unread is not null)
        {
            return ProgramChecks.Unread("C15", image);
        }

        if (image.IsSystemd != true)
        {
            return new("C15", CheckLevel.Pass, "systemd is not started");
        }

        if (image.SystemdVersion is not { } version || host.Cgroups is null)
        {
            return new("C15", CheckLevel.Unknown, $"systemd is started, and {(host.Cgroups is null ? "the host's cgroups are" : "its version is")} not known");
        }

        CheckEvidence[] evidence = [new("/usr/lib/systemd", "libsystemd-shared", $"{version}"), new("host", "cgroups", Printable.Shorten(host.Cgroups, 20))];
        bool isForced = CommandSearch.Variable(image.Config.Config, "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE") == "1";
        bool isLegacy = host.Cgroups is "v1" or "hybrid";
        return (isLegacy, version) switch
        {
            (true, >= 258) => new("C15", CheckLevel.Fail, $"systemd {version} needs cgroup v2, and the host has {host.Cgroups}") { Evidence = evidence, Source = "systemd 258, NEWS", Fix = "boot the host with systemd.unified_cgroup_hierarchy=1" },
            (true, >= 256) when !isForced => new("C15", CheckLevel.Fail, $"systemd {version} refuses to boot under cgroup {host.Cgroups}") { Evidence = evidence, Source = "systemd 256, NEWS", Fix = "run it with -e SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1, or boot the host with cgroup v2" },
            (false, < 232) when host.Cgroups == "v2" => new("C15", CheckLevel.Warn, $"systemd {version} is older than cgroup v2, which is all that the host has") { Evidence = evidence },
            _ => new("C15", CheckLevel.Pass, $"systemd {version} on cgroup {host.Cgroups}") { Evidence = evidence },
        };
    }
}
