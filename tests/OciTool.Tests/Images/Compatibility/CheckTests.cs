using OciTool.Images;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

/// <summary>Each check with an image or a host that passes, one that fails and one that leaves the answer open.</summary>
public sealed class CheckTests
{
    private static readonly HostFacts Nothing = new();
    private const string Loader = "/lib64/ld-linux-x86-64.so.2";

    [Fact]
    public void C01_an_image_of_this_architecture_passes() => Expect("C01", CheckLevel.Pass, Static());

    [Fact]
    public void C01_another_operating_system_fails() =>
        Expect("C01", CheckLevel.Fail, With(Static(), maker => maker.Platform = new Platform("windows", "amd64")));

    [Fact]
    public void C01_another_architecture_that_is_not_emulated_fails_by_the_configuration_alone() => Assert.Equal(
        CheckLevel.Fail, ImageMaker.Check("C01", new ImageMaker { Platform = new Platform("linux", "arm64") }.Unread(), ImageMaker.Host).Level);

    [Fact]
    public void C01_a_host_that_says_nothing_leaves_it_open() => Expect("C01", CheckLevel.Unknown, Static(), Nothing);

    [Theory]
    [InlineData("v2", "v3", CheckLevel.Pass)]
    [InlineData("v4", "v3", CheckLevel.Warn)]
    [InlineData("v2", null, CheckLevel.Unknown)]
    [InlineData(null, "v1", CheckLevel.Pass)]
    public void C02_the_variant_is_compared(string? wanted, string? had, CheckLevel expected) => Expect(
        "C02", expected, With(Static(), maker => maker.Platform = new Platform("linux", "amd64", wanted)), ImageMaker.Host with { Variant = had });

    [Fact]
    public void C03_a_label_that_lies_is_a_warning_and_the_program_is_believed()
    {
        ImageMaker image = new ImageMaker { Platform = new Platform("linux", "arm64") }.App(new ElfBuilder().Build());

        Expect("C03", CheckLevel.Warn, image);
        Expect("C04", CheckLevel.Pass, image);
        Expect("C03", CheckLevel.Pass, Static());
    }

    [Fact]
    public void Without_files_what_depends_on_them_is_open()
    {
        ImageFacts facts = new ImageMaker().Unread();

        foreach (string id in (string[])["C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C12", "C13", "C14", "C15"])
        {
            Assert.Equal((id, CheckLevel.Unknown), (id, ImageMaker.Check(id, facts, ImageMaker.Host).Level));
        }
    }

    [Theory]
    [InlineData("", "ENOEXEC", CheckLevel.Fail)]
    [InlineData("F", "runs", CheckLevel.Info)]
    [InlineData("F", "ENOENT", CheckLevel.Fail)]
    [InlineData("OC", "runs", CheckLevel.Fail)]
    public void C04_a_foreign_program_needs_a_handler_that_works(string flags, string probe, CheckLevel expected)
    {
        ForeignHandler handler = new("qemu-aarch64", "/usr/bin/qemu-aarch64-static", flags, 0, "7f454c4602010100000000000000000002" + "00b700", "ffffffffffffff00ffffffffffffffff" + "feffffff");
        HostFacts host = ImageMaker.Host with
        {
            Handlers = flags.Length == 0 ? [] : [handler],
            Executes = new Dictionary<string, string> { ["arm64"] = probe },
        };

        Expect("C04", expected, Foreign(), host);
    }

    [Fact]
    public void C04_a_handler_without_F_takes_its_interpreter_from_the_image()
    {
        ForeignHandler handler = new("qemu-aarch64", "/usr/bin/qemu-aarch64-static", "OC", 18, "b700", "");

        Expect("C04", CheckLevel.Warn, Foreign().File("usr/bin/qemu-aarch64-static", [1]), ImageMaker.Host with { Handlers = [handler] });
        Expect("C04", CheckLevel.Fail, Foreign(), ImageMaker.Host with { Handlers = [handler with { Enabled = false }] });
        Expect("C04", CheckLevel.Unknown, Foreign(), ImageMaker.Host with { Handlers = null, Executes = null });
    }

    [Theory]
    [InlineData(1u, "v1", CheckLevel.Pass)]
    [InlineData(3u, "v2", CheckLevel.Pass)]
    [InlineData(0xfu, "v3", CheckLevel.Fail)]
    [InlineData(7u, "v2", CheckLevel.Fail)]
    [InlineData(2u, null, CheckLevel.Unknown)]
    public void C05_the_level_in_the_notes_is_compared(uint bits, string? host, CheckLevel expected) =>
        Expect("C05", expected, new ImageMaker().App(new ElfBuilder().NeededIsa(bits).Build()), ImageMaker.Host with { Variant = host });

    [Theory]
    [InlineData("ID=rhel\nVERSION_ID=9.4", "v1", CheckLevel.Fail)]
    [InlineData("ID=rocky\nVERSION_ID=10", "v2", CheckLevel.Fail)]
    [InlineData("ID=centos\nVERSION_ID=8", "v1", CheckLevel.Pass)]
    [InlineData("ID=debian\nVERSION_ID=12", "v1", CheckLevel.Pass)]
    public void C05_without_a_note_the_distribution_tells(string release, string host, CheckLevel expected) =>
        Expect("C05", expected, Static().Text("etc/os-release", release), ImageMaker.Host with { Variant = host });

    [Fact]
    public void C06_the_interpreter_has_to_be_there()
    {
        ImageMaker image = new ImageMaker().App(new ElfBuilder().Interpreter(Loader).Build());
        Expect("C06", CheckLevel.Fail, image);
        Expect("C06", CheckLevel.Pass, image.File(Loader, new ElfBuilder().Build()));
        Expect("C06", CheckLevel.Fail, image.File(Loader, new ElfBuilder { Machine = 183 }.Build()));
        Expect("C06", CheckLevel.Fail, image.File(Loader, new ElfBuilder().Build(), mode: 0x1a4));
        Expect("C06", CheckLevel.Pass, Static());
    }

    [Fact]
    public void C06_says_which_C_library_is_missing()
    {
        CheckResult check = Result("C06", new ImageMaker().App(new ElfBuilder().Interpreter(Loader).Build()));

        Assert.Contains("/lib64/ld-linux-x86-64.so.2 (glibc)", check.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#!/bin/sh\r\necho", "CR LF")]
    [InlineData("#!/bin/bash\necho", "/bin/bash is not in the image")]
    [InlineData("#!\necho", "names no interpreter")]
    [InlineData("echo hello", "neither a program nor a script")]
    [InlineData("", "is empty")]
    [InlineData("\u007fELF", "is damaged")]
    public void C07_a_command_that_cannot_be_executed_fails_and_says_why(string content, string why)
    {
        CheckResult check = Result("C07", new ImageMaker().App(content).File("bin/sh", new ElfBuilder().Build()));

        Assert.Equal(CheckLevel.Fail, check.Level);
        Assert.Contains(why, check.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void C07_the_byte_of_the_carriage_return_is_told()
    {
        CheckResult check = Result("C07", new ImageMaker().App("#!/bin/sh\r\n"));

        Assert.Equal(new CheckEvidence("/bin/app", "byte 9", "0x0d"), Assert.Single(check.Evidence));
    }

    [Fact]
    public void C07_a_script_passes_when_its_interpreter_does()
    {
        Expect("C07", CheckLevel.Pass, new ImageMaker().App("#!/bin/sh\n").File("bin/sh", new ElfBuilder().Build()));
        Expect("C07", CheckLevel.Fail, new ImageMaker().App("#!/bin/sh\n", mode: 0x1a4).File("bin/sh", new ElfBuilder().Build()));
        Expect("C07", CheckLevel.Fail, new ImageMaker().App("#!/bin/app\n"));
        Expect("C07", CheckLevel.Fail, new ImageMaker());
        Expect("C07", CheckLevel.Unknown, With(Static(), maker => maker.Config = new ExecutionConfig()));
    }

    [Fact]
    public void C07_a_long_first_line_fails_on_an_old_kernel_only()
    {
        string path = new('a', 150);
        ImageMaker image = new ImageMaker().App($"#!/{path}\n").File(path, new ElfBuilder().Build());

        Expect("C07", CheckLevel.Pass, image);
        Expect("C07", CheckLevel.Fail, image, ImageMaker.Host with { Kernel = "4.19.0" });
    }

    [Fact]
    public void C07_a_name_is_looked_for_in_PATH_and_by_the_image_s_user()
    {
        Expect("C07", CheckLevel.Pass, With(Static(), maker => maker.Config = new ExecutionConfig { Cmd = ["app"], Env = ["PATH=/sbin:/bin"] }));
        Expect("C07", CheckLevel.Fail, With(Static(), maker => maker.Config = new ExecutionConfig { Cmd = ["app"], Env = ["PATH=/sbin"] }));
        Expect("C07", CheckLevel.Pass, With(Static(), maker => maker.Config = new ExecutionConfig { Cmd = ["bin/app"], WorkingDir = "/" }));
        Expect("C07", CheckLevel.Fail, With(new ImageMaker().App(new ElfBuilder().Build(), mode: 0x1c0), maker => maker.Config = new ExecutionConfig { Cmd = ["/bin/app"], User = "1000" }));
        Expect("C07", CheckLevel.Pass, With(new ImageMaker().App(new ElfBuilder().Build(), mode: 0x1c0), maker => maker.Config = new ExecutionConfig { Cmd = ["/bin/app"], User = "0" }));
    }

    [Fact]
    public void C07_a_program_that_is_cut_off_fails()
    {
        byte[] whole = [.. new ElfBuilder().Interpreter(Loader).Build(), .. new byte[20000]];
        BitConverter.TryWriteBytes(whole.AsSpan(64 + 32), 20000L); // p_filesz of the first segment

        Expect("C07", CheckLevel.Pass, new ImageMaker().App(whole).File(Loader, new ElfBuilder().Build()));
        Expect("C07", CheckLevel.Fail, new ImageMaker().App(whole[..9000]).File(Loader, new ElfBuilder().Build()));
    }

    [Fact]
    public void C08_a_library_is_looked_for_where_the_loader_looks()
    {
        byte[] app = new ElfBuilder().Interpreter(Loader).Needed("libx.so.1").RunPath("$ORIGIN/../opt/x").Build();
        byte[] library = new ElfBuilder().SoName("libx.so.1").Build();
        ImageMaker Image() => new ImageMaker().App(app).File(Loader, new ElfBuilder().SoName("ld-linux-x86-64.so.2").Build());

        Expect("C08", CheckLevel.Fail, Image());
        Expect("C08", CheckLevel.Pass, Image().File("opt/x/libx.so.1", library));
        Expect("C08", CheckLevel.Pass, Image().File("usr/lib/x86_64-linux-gnu/libx.so.1", library));
        Expect("C08", CheckLevel.Pass, Image().File("usr/lib64/libx.so.1", library));
        Expect("C08", CheckLevel.Fail, Image().File("srv/libx.so.1", library));
        Expect("C08", CheckLevel.Pass, With(Image().File("srv/libx.so.1", library), maker => maker.Config = maker.Config with { Env = ["LD_LIBRARY_PATH=/srv"] }));
        Expect("C08", CheckLevel.Fail, Image().File("usr/lib/libx.so.1", new ElfBuilder { Machine = 183 }.Build()));
        Expect("C08", CheckLevel.Fail, Image().File("usr/lib/libx.so.1", [1, 2, 3]));
    }

    [Fact]
    public void C08_libraries_of_libraries_are_looked_for_and_a_circle_ends()
    {
        ImageMaker image = new ImageMaker().App(new ElfBuilder().Interpreter(Loader).Needed("liba").Build()).File(Loader, new ElfBuilder().Build())
            .File("lib/liba", new ElfBuilder().Needed("libb").Build()).File("lib/libb", new ElfBuilder().Needed("liba", "libc").Build());

        Assert.Contains("/lib/libb needs libc", Result("C08", image).Summary, StringComparison.Ordinal);
        Expect("C08", CheckLevel.Pass, image.File("lib/libc", new ElfBuilder().Build()));
    }

    [Fact]
    public void C08_a_version_of_symbols_that_the_library_lacks_fails()
    {
        string path = Array.Find(["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"], File.Exists)!;
        ImageMaker Image(string version) => new ImageMaker()
            .App(new ElfBuilder().Interpreter(Loader).Needed("libc.so.6").VersionNeeds(("libc.so.6", [version])).Build())
            .File(Loader, File.ReadAllBytes(Loader)).File(path[1..], File.ReadAllBytes(path)); // where this very loader looks

        Expect("C08", CheckLevel.Pass, Image("GLIBC_2.17"));
        Expect("C08", CheckLevel.Fail, Image("GLIBC_9.99"));
    }

    [Theory]
    [InlineData(2, 31, "6.1.0", CheckLevel.Pass)]
    [InlineData(2, 31, "3.10.0", CheckLevel.Fail)]
    [InlineData(2, 36, "3.10.0", CheckLevel.Info)]
    [InlineData(2, 31, null, CheckLevel.Unknown)]
    public void C09_the_note_of_the_oldest_kernel_counts_for_old_C_libraries(int major, int minor, string? kernel, CheckLevel expected)
    {
        ImageFacts facts = new ImageMaker().App(new ElfBuilder().Interpreter(Loader).AbiTag(4, 11, 0).Build()).File(Loader, new ElfBuilder().Build()).Read();

        Assert.Equal(expected, ImageMaker.Check(
            "C09", facts with { Libc = new Libc(LibcFamily.Glibc, new KernelVersion(major, minor), "/lib/libc.so.6") }, ImageMaker.Host with { Kernel = kernel }).Level);
    }

    [Fact]
    public void C10_the_C_library_is_named()
    {
        Assert.Contains("static", Result("C10", Static()).Summary, StringComparison.Ordinal);
        Assert.Equal("musl 1.2.5", ImageMaker.Check(
            "C10", new ImageMaker().App(new ElfBuilder().Interpreter("/lib/ld-musl-x86_64.so.1").Build()).Read() with { Libc = new Libc(LibcFamily.Musl, new(1, 2, 5), "/lib/ld-musl-x86_64.so.1") }, ImageMaker.Host).Summary);
    }

    [Theory]
    [InlineData("ok", 34, CheckLevel.Pass)]
    [InlineData("ENOSYS", 34, CheckLevel.Info)]
    [InlineData("EPERM", 34, CheckLevel.Fail)]
    [InlineData("EPERM", 31, CheckLevel.Warn)]
    [InlineData(null, 34, CheckLevel.Unknown)]
    public void C11_a_forbidden_call_is_worse_than_one_that_is_not_there(string? answer, int minor, CheckLevel expected) => Assert.Equal(
        expected,
        ImageMaker.Check(
            "C11", Static().Read() with { Libc = new Libc(LibcFamily.Glibc, new KernelVersion(2, minor), "") },
            ImageMaker.Host with { SystemCalls = answer is null ? null : new Dictionary<string, string> { ["clone3"] = answer } }).Level);

    [Fact]
    public void C11_a_kernel_on_which_oci_itself_runs_nothing_is_a_warning()
    {
        CheckResult check = Result("C11", Static(), ImageMaker.Host with { SystemCalls = new Dictionary<string, string> { ["mount_setattr"] = "ENOSYS", ["openat2"] = "ok" } });

        Assert.Equal(CheckLevel.Warn, check.Level);
        Assert.Contains("Linux 5.12", check.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x1000, 4096, CheckLevel.Pass)]
    [InlineData(0x10000, 65536, CheckLevel.Pass)]
    [InlineData(0x1000, 65536, CheckLevel.Fail)]
    [InlineData(0x1000, null, CheckLevel.Unknown)]
    public void C12_libraries_have_to_be_aligned_to_the_host_s_pages(int alignment, int? page, CheckLevel expected) => Expect(
        "C12", expected,
        new ImageMaker().App(new ElfBuilder { Alignment = 0x10000 }.Interpreter(Loader).Needed("liba").Build())
            .File(Loader, new ElfBuilder { Alignment = 0x10000 }.Build()).File("lib/liba", new ElfBuilder { Alignment = (ulong)alignment }.Build()),
        ImageMaker.Host with { PageSize = page });

    [Theory]
    [InlineData("runs", CheckLevel.Pass)]
    [InlineData("ENOEXEC", CheckLevel.Fail)]
    [InlineData(null, CheckLevel.Unknown)]
    public void C13_programs_of_32_bits_need_a_kernel_that_runs_them(string? probe, CheckLevel expected) => Expect(
        "C13", expected, new ImageMaker { Platform = new Platform("linux", "386") }.App(new ElfBuilder { Is64 = false, Machine = 3 }.Build()),
        ImageMaker.Host with { Executes = probe is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["386"] = probe } });

    [Theory]
    [InlineData("ok", LibcFamily.Musl, CheckLevel.Pass)]
    [InlineData("ENOSYS", LibcFamily.Musl, CheckLevel.Pass)]
    [InlineData("EPERM", LibcFamily.Musl, CheckLevel.Fail)]
    [InlineData("EPERM", LibcFamily.Glibc, CheckLevel.Warn)]
    [InlineData("ok", LibcFamily.Glibc, CheckLevel.Info)]
    [InlineData(null, LibcFamily.Musl, CheckLevel.Unknown)]
    [InlineData(null, LibcFamily.Glibc, CheckLevel.Info)]
    public void C14_musl_of_32_bits_needs_times_of_64(string? answer, LibcFamily family, CheckLevel expected)
    {
        ImageFacts facts = new ImageMaker().App(new ElfBuilder { Is64 = false, Machine = 3 }.Build()).Read() with { Libc = new Libc(family, new KernelVersion(family == LibcFamily.Musl ? 1 : 2, 2, 2), "") };
        HostFacts host = ImageMaker.Host with { SystemCalls = answer is null ? ImageMaker.Host.SystemCalls : new Dictionary<string, string> { ["clock_gettime64"] = answer } };

        Assert.Equal(expected, ImageMaker.Check("C14", facts, host).Level);
        Assert.Equal(CheckLevel.Pass, ImageMaker.Check("C11", facts, host).Level); // which is about what programs of 64 bits call
    }

    [Fact]
    public void Without_the_libraries_a_program_decides_what_is_its_own()
    {
        ImageFacts facts = new ImageMaker().App(new ElfBuilder().Interpreter(Loader).NeededIsa(0xf).Build()).Read() with { Unread = "not asked for", Loader = null };

        foreach ((string id, CheckLevel expected) in (ReadOnlySpan<(string, CheckLevel)>)
        [
            ("C03", CheckLevel.Pass), ("C04", CheckLevel.Pass), ("C05", CheckLevel.Fail), ("C06", CheckLevel.Unknown), ("C07", CheckLevel.Pass), ("C08", CheckLevel.Unknown),
            ("C09", CheckLevel.Unknown), ("C10", CheckLevel.Unknown), ("C12", CheckLevel.Unknown), ("C13", CheckLevel.Pass), ("C15", CheckLevel.Pass), ("C16", CheckLevel.Unknown),
        ])
        {
            Assert.Equal((id, expected), (id, ImageMaker.Check(id, facts, ImageMaker.Host).Level));
        }

        Assert.Equal(CheckLevel.Unknown, ImageMaker.Check("C05", facts, ImageMaker.Host with { Variant = "v4" }).Level);
        Assert.Equal(CheckLevel.Unknown, ImageMaker.Check("C11", facts, ImageMaker.Host with { SystemCalls = new Dictionary<string, string> { ["clone3"] = "EPERM" } }).Level);
    }

    [Fact]
    public void C07_a_script_whose_interpreter_was_not_read_is_open()
    {
        ImageFacts facts = new ImageMaker().App("#!/bin/sh\n").Read();

        Assert.Equal(CheckLevel.Unknown, ImageMaker.Check("C07", facts with { Programs = [facts.Programs[0]], Unread = "not asked for" }, ImageMaker.Host).Level);
    }

    [Theory]
    [InlineData("258", "hybrid", null, CheckLevel.Fail)]
    [InlineData("256", "v1", null, CheckLevel.Fail)]
    [InlineData("256", "v1", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", CheckLevel.Pass)]
    [InlineData("252", "v1", null, CheckLevel.Pass)]
    [InlineData("258", "v2", null, CheckLevel.Pass)]
    [InlineData("219", "v2", null, CheckLevel.Warn)]
    [InlineData(null, "v2", null, CheckLevel.Unknown)]
    public void C15_systemd_has_to_fit_the_cgroups(string? version, string cgroups, string? variable, CheckLevel expected)
    {
        ImageMaker image = With(
            new ImageMaker().File("usr/lib/systemd/systemd", new ElfBuilder().Build()).Link("sbin/init", "/usr/lib/systemd/systemd"),
            maker => maker.Config = new ExecutionConfig { Cmd = ["/sbin/init"], Env = variable is null ? [] : [variable] });
        if (version is not null)
        {
            image.File($"usr/lib/systemd/libsystemd-shared-{version}.so", [1]);
        }

        Expect("C15", expected, image, ImageMaker.Host with { Cgroups = cgroups });
    }

    [Fact]
    public void C15_an_init_that_is_not_systemd_passes() => Expect(
        "C15", CheckLevel.Pass,
        With(new ImageMaker().File("sbin/init", new ElfBuilder().Build()), maker => maker.Config = new ExecutionConfig { Cmd = ["/sbin/init"] }),
        ImageMaker.Host with { Cgroups = "v1" });

    [Theory]
    [InlineData(65536L, 1000L, CheckLevel.Pass)]
    [InlineData(65536L, 65535L, CheckLevel.Pass)]
    [InlineData(65536L, 65536L, CheckLevel.Fail)]
    [InlineData(65536L, 172761424L, CheckLevel.Fail)]
    [InlineData(null, 0L, CheckLevel.Unknown)]
    [InlineData(4294967295L, 4000000000L, CheckLevel.Pass)]
    public void C18_the_highest_owner_has_to_be_mapped(long? mapped, long owner, CheckLevel expected)
    {
        ImageMaker image = Static();
        image.Layer.Add("srv/data", new MemoryNode(MemoryNodeKind.Regular, 0x1a4, owner, 0, 0));

        Expect("C18", expected, image, ImageMaker.Host with { MappedUsers = mapped, MappedGroups = mapped });
    }

    [Fact]
    public void C19_what_the_store_would_lose_is_told()
    {
        ImageMaker image = Static().File("a/x", []).File("a/X", []);
        HostFacts folding = ImageMaker.Host with { Store = new StoreFacts("vfat", "directory", Xattrs: false, CaseSensitive: false) };

        Expect("C19", CheckLevel.Pass, image);
        Expect("C19", CheckLevel.Warn, image, folding);
        Expect("C19", CheckLevel.Fail, With(Static(), maker => maker.Layers = 501));
        Expect("C19", CheckLevel.Info, With(Static(), maker => maker.Layers = 200));
        Expect("C19", CheckLevel.Unknown, image, Nothing);
    }

    [Theory]
    [InlineData(true, null, null, CheckLevel.Pass)]
    [InlineData(false, "ok", null, CheckLevel.Pass)]
    [InlineData(false, "EPERM", "kernel.apparmor_restrict_unprivileged_userns=1", CheckLevel.Fail)]
    [InlineData(false, "ENOSPC", "user.max_user_namespaces=0", CheckLevel.Fail)]
    [InlineData(false, null, null, CheckLevel.Unknown)]
    public void C20_only_who_is_not_root_needs_user_namespaces(bool isRoot, string? probe, string? knob, CheckLevel expected)
    {
        string[] parts = knob?.Split('=') ?? [];
        HostFacts host = ImageMaker.Host with
        {
            IsRoot = isRoot,
            UserNamespace = probe,
            UserNamespaceSettings = parts.Length == 2 ? new Dictionary<string, string> { [parts[0]] = parts[1] } : null,
        };

        CheckResult check = Result("C20", Static(), host);

        Assert.Equal(expected, check.Level);
        Assert.True(knob is null || check.Summary.Contains(parts[0], StringComparison.Ordinal));
    }

    private static ImageMaker Static() => new ImageMaker().App(new ElfBuilder().Build());

    private static ImageMaker Foreign() =>
        new ImageMaker { Platform = new Platform("linux", "arm64") }.App(new ElfBuilder { Machine = 183, Type = 2 }.Build());

    private static ImageMaker With(ImageMaker maker, Action<ImageMaker> change)
    {
        change(maker);
        return maker;
    }

    private static CheckResult Result(string id, ImageMaker image, HostFacts? host = null) =>
        ImageMaker.Check(id, image.Read(host), host ?? ImageMaker.Host);

    private static void Expect(string id, CheckLevel expected, ImageMaker image, HostFacts? host = null)
    {
        CheckResult check = Result(id, image, host);
        Assert.True(expected == check.Level, $"{check}");
    }
}
