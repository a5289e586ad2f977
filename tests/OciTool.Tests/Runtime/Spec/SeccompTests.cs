using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class SeccompTests
{
    private static readonly string[] Default =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_SETFCAP",
    ];

    [Fact]
    public void A_rule_with_conditions_applies_only_where_they_hold()
    {
        const string Profile = """
            { "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "defaultErrno": "ENOSYS",
              "syscalls": [
                { "names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_X", "CAP_Y"] } },
                { "names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_X", "CAP_Z"] } },
                { "names": ["c"], "action": "SCMP_ACT_ALLOW", "excludes": { "caps": ["CAP_Z", "CAP_X"] } },
                { "names": ["d"], "action": "SCMP_ACT_ERRNO", "errno": "EINVAL", "errnoRet": 7, "excludes": { "caps": ["CAP_Z"] } },
                { "names": ["e"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["s390x"] } },
                { "names": ["f"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } },
                { "names": ["g"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "999.0" } },
                { "name": "h", "action": "SCMP_ACT_ALLOW", "args": null, "comment": "", "includes": {}, "excludes": {} } ] }
            """;
        SeccompSpec spec = SeccompProfile.Parse(Encoding.UTF8.GetBytes(Profile), "test", ["CAP_X", "CAP_Y"]);
        Assert.Equal(38u, spec.DefaultErrnoRet);
        Assert.Equal(["a", "d", "f", "h"], spec.Syscalls!.Select(rule => Assert.Single(rule.Names)));
        Assert.Equal(22u, spec.Syscalls![1].ErrnoRet);
    }

    [Theory]
    [InlineData("null", "it is null")]
    [InlineData("[]", "invalid seccomp profile test: ")]
    [InlineData("{}", "invalid seccomp profile test: ")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","defaultAction":"SCMP_ACT_ALLOW"}""", "invalid seccomp profile test: ")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"EBOGUS"}""", "unknown errno 'EBOGUS'")]
    [InlineData(
        """{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}""",
        "it has both 'architectures' and 'archMap'")]
    public void A_document_that_is_no_profile_is_refused(string document, string message) => Assert.Contains(
        message,
        Assert.Throws<OciException>(() => SeccompProfile.Parse(Encoding.UTF8.GetBytes(document), "test", [])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void The_embedded_profile_is_equivalent_to_the_installed_one_for_every_system_call_that_the_latter_names()
    {
        string? installed = Array.Find(SeccompProfile.InstalledPaths, File.Exists);
        Assert.SkipWhen(installed is null, "containers-common is not installed");
        foreach (string[] capabilities in new string[][]
            { [], Default, [.. Default, "CAP_SYS_ADMIN"], [.. Default, "CAP_AUDIT_WRITE", "CAP_SYS_PTRACE"] })
        {
            Dictionary<string, string> theirs = Effects(SeccompProfile.Load(installed!, capabilities));
            Dictionary<string, string> ours = Effects(SeccompProfile.Embedded(capabilities));
            Assert.All(theirs, effect => Assert.Equal(effect.Value, ours.GetValueOrDefault(effect.Key)));
        }
    }

    [Fact]
    public void The_embedded_profile_compiles_to_a_program_that_checks_the_architecture_first()
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        byte[] program = SeccompCompiler.Compile(SeccompProfile.Embedded(Default));
        Assert.True(program.Length % 8 == 0 && program.Length / 8 is > 100 and < 4096, $"{program.Length} bytes");
        Assert.Equal([0x20, 0, 0, 0, 4, 0, 0, 0], program[..8]); // BPF_LD|BPF_W|BPF_ABS of seccomp_data.arch
    }

    [Fact]
    public void Another_capability_makes_another_program()
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        Assert.NotEqual(
            SeccompCompiler.Compile(SeccompProfile.Embedded(Default)),
            SeccompCompiler.Compile(SeccompProfile.Embedded([.. Default, "CAP_SYS_ADMIN"])));
    }

    [Theory]
    [InlineData("SCMP_ACT_XX", "SCMP_CMP_EQ", "SCMP_ARCH_X86_64", "unknown action 'SCMP_ACT_XX'")]
    [InlineData("SCMP_ACT_NOTIFY", "SCMP_CMP_EQ", "SCMP_ARCH_X86_64", "SCMP_ACT_NOTIFY needs a listenerPath")]
    [InlineData("SCMP_ACT_ALLOW", "SCMP_CMP_XX", "SCMP_ARCH_X86_64", "unknown operator 'SCMP_CMP_XX'")]
    [InlineData("SCMP_ACT_ALLOW", "SCMP_CMP_EQ", "x86_64", "unknown architecture 'x86_64'")]
    [InlineData("SCMP_ACT_ALLOW", "SCMP_CMP_EQ", "SCMP_ARCH_PDP11", "unknown architecture 'SCMP_ARCH_PDP11'")]
    public void A_filter_that_cannot_be_compiled_is_refused(string action, string op, string architecture, string message)
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        SeccompSpec spec = new("SCMP_ACT_ERRNO")
        {
            Architectures = [architecture],
            Syscalls = [new(["read"], action) { Args = [new(0, 1, op)] }],
        };
        Assert.Contains(
            message, Assert.Throws<OciException>(() => SeccompCompiler.Compile(spec)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_compiled_filter_is_found_again_until_its_file_is_damaged()
    {
        using TestRoot root = new();
        string cache = Path.Join(root.Top, "cache");
        byte[] program = [.. Enumerable.Range(0, 80).Select(i => (byte)i)];
        Assert.Null(SeccompCache.TryRead(cache, "key"u8));
        SeccompCache.Write(cache, "key"u8, program);
        Assert.Equal(program, SeccompCache.TryRead(cache, "key"u8));
        Assert.Null(SeccompCache.TryRead(cache, "other"u8));

        string file = Assert.Single(Directory.GetFiles(cache));
        byte[] whole = File.ReadAllBytes(file);
        for (int i = 0; i < whole.Length; i++)
        {
            if (i is >= 12 and < 16)
            {
                continue; // unused
            }

            byte[] damaged = [.. whole];
            damaged[i] ^= 0x40;
            File.WriteAllBytes(file, damaged);
            Assert.Null(SeccompCache.TryRead(cache, "key"u8));
        }

        File.WriteAllBytes(file, whole[..^8]);
        Assert.Null(SeccompCache.TryRead(cache, "key"u8));
    }

    [Fact]
    public void A_cached_selection_needs_neither_the_profile_nor_the_library()
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        using TestRoot root = new();
        root.Write("/p.json", """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["acct"],"action":"SCMP_ACT_ERRNO"}]}""");
        string cache = Path.Join(root.Top, "cache");
        string path = root.HostPath("/p.json");
        byte[] first = SeccompSelection.Choose(path, privileged: false, Default)!.Compile(cache);

        DateTime written = File.GetLastWriteTimeUtc(path);
        File.WriteAllText(path, new string('x', (int)new FileInfo(path).Length));
        File.SetLastWriteTimeUtc(path, written);
        Assert.Equal(first, SeccompSelection.Choose(path, privileged: false, Default)!.Compile(cache));

        File.SetLastWriteTimeUtc(path, written.AddSeconds(1));
        Assert.Throws<OciException>(() => SeccompSelection.Choose(path, privileged: false, Default)!.Compile(cache));
    }

    [Fact]
    public void Privileged_and_unconfined_containers_have_no_filter_and_a_missing_profile_is_an_error()
    {
        Assert.Null(SeccompSelection.Choose(null, privileged: true, []));
        Assert.Null(SeccompSelection.Choose("unconfined", privileged: false, []));
        Assert.NotNull(SeccompSelection.Choose(null, privileged: false, []));
        Assert.Equal(
            "opening seccomp profile failed: open /nope: no such file or directory",
            Assert.Throws<OciException>(() => SeccompSelection.Choose("/nope", privileged: false, [])).Message);
    }

    private static Dictionary<string, string> Effects(SeccompSpec spec)
    {
        Dictionary<string, SortedSet<string>> effects = [];
        foreach (SyscallRule rule in spec.Syscalls!)
        {
            string effect = $"{rule.Action} {rule.ErrnoRet} "
                + string.Join('&', (rule.Args ?? []).Select(a => $"{a.Index}{a.Op}{a.Value}"));
            foreach (string name in rule.Names)
            {
                effects.TryAdd(name, []);
                effects[name].Add(effect);
            }
        }

        return effects.ToDictionary(effect => effect.Key, effect => string.Join(" | ", effect.Value));
    }
}
