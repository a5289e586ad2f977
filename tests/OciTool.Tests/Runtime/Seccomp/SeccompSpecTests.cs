using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;
using OciTool.Tests.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Seccomp;

/// <summary>Which <c>linux.seccomp</c> of a config.json is taken, and what comes with the program.</summary>
public sealed class SeccompSpecTests
{
    private static readonly SyscallRule Notifying = new(["mkdir"], "SCMP_ACT_NOTIFY");

    [Fact]
    public void The_whole_object_is_read()
    {
        const string Document = """
            { "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 2, "architectures": ["SCMP_ARCH_X86"],
              "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/agent", "listenerMetadata": "m",
              "syscalls": [{ "names": ["a", "b"], "action": "SCMP_ACT_TRACE", "errnoRet": 3,
                "args": [{ "index": 1, "value": 18446744073709551615, "valueTwo": 4, "op": "SCMP_CMP_MASKED_EQ" }] }] }
            """;
        SeccompSpec spec = RuntimeSpecReader.ReadSeccomp(Encoding.UTF8.GetBytes(Document));
        Assert.Equal(("SCMP_ACT_ERRNO", 2u, "/run/agent", "m"), (spec.DefaultAction, spec.DefaultErrnoRet, spec.ListenerPath, spec.ListenerMetadata));
        Assert.Equal(["SCMP_ARCH_X86"], spec.Architectures!);
        Assert.Equal(["SECCOMP_FILTER_FLAG_LOG"], spec.Flags!);
        SyscallRule rule = Assert.Single(spec.Syscalls!);
        Assert.Equal(["a", "b"], rule.Names);
        Assert.Equal(("SCMP_ACT_TRACE", 3u), (rule.Action, rule.ErrnoRet));
        Assert.Equal(new(1, ulong.MaxValue, "SCMP_CMP_MASKED_EQ") { ValueTwo = 4 }, Assert.Single(rule.Args!));
    }

    public static TheoryData<string, SeccompSpec> Invalid => new()
    {
        { "unknown action 'SCMP_ACT_GUESS'", new("SCMP_ACT_GUESS") },
        { "unknown action ''", new("") },
        { "SCMP_ACT_KILL takes no errno", new("SCMP_ACT_KILL") { DefaultErrnoRet = 1 } },
        { "SCMP_ACT_ALLOW takes no errno", Rule(new SyscallRule(["read"], "SCMP_ACT_ALLOW") { ErrnoRet = 0 }) },
        { "SCMP_ACT_NOTIFY takes no errno", Rule(new SyscallRule(["read"], "SCMP_ACT_NOTIFY") { ErrnoRet = 1 }) },
        { "errno 4095 is larger than 4094", new("SCMP_ACT_ERRNO") { DefaultErrnoRet = 4095 } },
        { "errno 65536 is larger than 65535", Rule(new SyscallRule(["read"], "SCMP_ACT_TRACE") { ErrnoRet = 65536 }) },
        { "unknown architecture 'SCMP_ARCH_PDP11'", Rule() with { Architectures = ["SCMP_ARCH_X86", "SCMP_ARCH_PDP11"] } },
        { "unknown architecture 'SCMP_ARCH_NATIVE'", Rule() with { Architectures = ["SCMP_ARCH_NATIVE"] } },
        { "unknown flag 'SECCOMP_FILTER_FLAG_NEW_LISTENER'", Rule() with { Flags = ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] } },
        { "unknown operator 'SCMP_CMP_LIKE'", Rule(new SyscallRule(["read"], "SCMP_ACT_ALLOW") { Args = [new(0, 0, "SCMP_CMP_LIKE")] }) },
        { "there is no argument 6", Rule(new SyscallRule(["read"], "SCMP_ACT_ALLOW") { Args = [new(6, 0, "SCMP_CMP_EQ")] }) },
        { "a rule without names", Rule(new SyscallRule([], "SCMP_ACT_ALLOW")) },
        { "'' is no name of a system call", Rule(new SyscallRule(["read", ""], "SCMP_ACT_ALLOW")) },
        { "'read write' is no name of a system call", Rule(new SyscallRule(["read write"], "SCMP_ACT_ALLOW")) },
        { "is no name of a system call", Rule(new SyscallRule(["read\0"], "SCMP_ACT_ALLOW")) },
        { "is no name of a system call", Rule(new SyscallRule([new string('a', 65)], "SCMP_ACT_ALLOW")) },
        { "SCMP_ACT_NOTIFY cannot be the default action", new("SCMP_ACT_NOTIFY") { ListenerPath = "/agent" } },
        {
            "SCMP_ACT_NOTIFY cannot be used for the write system call",
            Rule(new SyscallRule(["writev", "write"], "SCMP_ACT_NOTIFY")) with { ListenerPath = "/agent" }
        },
        { "SCMP_ACT_NOTIFY needs a listenerPath", Rule(Notifying) },
        { "listenerMetadata needs a listenerPath", Rule() with { ListenerMetadata = "text" } },
        {
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY",
            Rule() with { Flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }
        },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void A_filter_that_is_not_the_specifications_is_refused(string cause, SeccompSpec spec)
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        OciException refusal = Assert.Throws<OciException>(() => SeccompCompiler.Compile(spec, cacheDirectory: null));
        Assert.StartsWith("invalid seccomp profile: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(cause, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(0u, "SECCOMP_FILTER_FLAG_TSYNC")]
    [InlineData(2u, "SECCOMP_FILTER_FLAG_LOG")]
    [InlineData(4u, "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    [InlineData(6u, "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    public void Flags_are_those_that_are_asked_for(uint expected, params string[] flags)
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        SeccompFilter filter = SeccompCompiler.Compile(Rule() with { Flags = flags }, cacheDirectory: null);
        Assert.Equal((expected, false), (filter.Flags, filter.NeedsListener));
    }

    [Fact]
    public void A_filter_that_asks_an_agent_needs_a_listener()
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        SeccompSpec spec = Rule(Notifying) with
        {
            ListenerPath = "/agent",
            ListenerMetadata = "m",
            Flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        };
        SeccompFilter filter = SeccompCompiler.Compile(spec, cacheDirectory: null);
        Assert.Equal((8u | 32u, true), (filter.Flags, filter.NeedsListener));

        SeccompFilter without = SeccompCompiler.Compile(Rule() with { ListenerPath = "/agent" }, cacheDirectory: null);
        Assert.Equal((0u, false), (without.Flags, without.NeedsListener));
    }

    [Fact]
    public void Our_own_command_line_has_no_agent()
    {
        SeccompSpec spec = Rule(Notifying) with { ListenerPath = "/agent" };
        Assert.Contains(
            "'SCMP_ACT_NOTIFY' is not supported", Assert.Throws<OciException>(() => SeccompCompiler.Compile(spec)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cached_filter_equals_a_fresh_one_and_needs_no_library()
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        using TestRoot root = new();
        string cache = Path.Join(root.Top, "cache");
        SeccompSpec spec = new("SCMP_ACT_ERRNO")
        {
            Architectures = ["SCMP_ARCH_X86"],
            Syscalls = [new(["read", "write"], "SCMP_ACT_ALLOW"), Notifying],
            ListenerPath = "/agent",
        };
        byte[] fresh = SeccompCompiler.Compile(spec, cacheDirectory: null).Program;
        Assert.Equal(fresh, SeccompCompiler.Compile(spec, cache).Program);

        // what stands in the cache is what is used: a mark in it comes back
        byte[] marked = [.. fresh, 6, 0, 0, 0, 0, 0, 0, 0];
        SeccompCache.Write(cache, SeccompKey.OfSpec(spec), marked);
        SeccompFilter cached = SeccompCompiler.Compile(
            spec with { ListenerPath = "/other", ListenerMetadata = "m", Flags = ["SECCOMP_FILTER_FLAG_LOG"] }, cache);
        Assert.Equal(marked, cached.Program);
        Assert.Equal((8u | 2u, true), (cached.Flags, cached.NeedsListener));
    }

    [Fact]
    public void Filters_that_differ_anywhere_have_different_keys()
    {
        SyscallArgument argument = new(1, 2, "SCMP_CMP_EQ");
        SeccompSpec[] specs =
        [
            new("SCMP_ACT_ERRNO"), new("SCMP_ACT_ALLOW"), new("SCMP_ACT_ERRNO") { DefaultErrnoRet = 1 },
            new("SCMP_ACT_ERRNO") { Architectures = [] }, new("SCMP_ACT_ERRNO") { Architectures = ["SCMP_ARCH_X86"] },
            Rule(new SyscallRule(["a", "b"], "SCMP_ACT_LOG")), Rule(new SyscallRule(["a"], "SCMP_ACT_LOG"), new(["b"], "SCMP_ACT_LOG")),
            Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { ErrnoRet = 1 }), Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { Args = [] }),
            Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { Args = [argument] }), Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { Args = [argument with { Index = 0 }] }),
            Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { Args = [argument with { Value = 3 }] }),
            Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { Args = [argument with { ValueTwo = 0 }] }),
            Rule(new SyscallRule(["a"], "SCMP_ACT_LOG") { Args = [argument with { Op = "SCMP_CMP_NE" }] }),
        ];
        Assert.Equal(specs.Length, specs.Select(spec => Convert.ToHexString(SeccompKey.OfSpec(spec))).Distinct().Count());
    }

    [Fact]
    public void A_filter_that_is_not_valid_is_refused_before_the_cache_is_asked()
    {
        using TestRoot root = new();
        SeccompSpec spec = Rule(Notifying);
        SeccompCache.Write(root.Top, SeccompKey.OfSpec(spec), new byte[8]);
        Assert.Throws<OciException>(() => SeccompCompiler.Compile(spec, root.Top));
    }

    private static SeccompSpec Rule(params SyscallRule[] rules) => new("SCMP_ACT_ERRNO") { Syscalls = rules };
}
