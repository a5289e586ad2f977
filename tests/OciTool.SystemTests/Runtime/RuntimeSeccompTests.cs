using System.Globalization;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config-linux.md: the filter of system calls.</summary>
public sealed class RuntimeSeccompTests : RuntimeTest
{
    private const int Uname = 63;
    private const int Personality = 135;

    /// <summary>A call that no kernel and no list of calls has yet.</summary>
    private const int Unknown = 900;

    private const int NotPermitted = 1;
    private const int BadAddress = 14;
    private const int NoSuchCall = 38;
    private const int NotSupported = 95;

    /// <summary>What a runtime itself may need between the filter and the program.</summary>
    private static readonly string[] Needed =
    [
        "arch_prctl", "brk", "capget", "capset", "chdir", "clone", "clone3", "close", "close_range", "dup", "dup2", "dup3", "epoll_create1",
        "epoll_ctl", "epoll_pwait", "execve", "exit", "exit_group", "faccessat", "faccessat2", "fchdir", "fchown", "fcntl", "fstat", "fstatfs",
        "futex", "getdents64", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "gettid", "getuid", "ioctl", "lseek",
        "madvise", "mmap", "mprotect", "munmap", "nanosleep", "newfstatat", "open", "openat", "openat2", "pipe2", "prctl", "prlimit64", "read",
        "readlink", "readlinkat", "recvfrom", "recvmsg", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity",
        "sched_yield", "sendmsg", "sendto", "setgid", "setgroups", "setresgid", "setresuid", "setsid", "setuid", "set_robust_list",
        "set_tid_address", "sigaltstack", "stat", "statfs", "statx", "tgkill", "umask", "write", "writev",
    ];

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#seccomp", "SCMP_ACT_ERRNO gives errnoRet, and EPERM without one")]
    public Task A_call_fails_with_the_error_of_its_rule(string name) => Under(name, async runtime =>
    {
        Assert.Equal(BadAddress, await CallAsync(runtime, Uname, 0, Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "sysinfo"))));
        Assert.Equal(NotPermitted, await CallAsync(runtime, Uname, 0, Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "uname"))));
        JsonObject rule = Rule("SCMP_ACT_ERRNO", "uname");
        rule["errnoRet"] = NotSupported;
        Assert.Equal(NotSupported, await CallAsync(runtime, Uname, 0, Filter("SCMP_ACT_ALLOW", rule)));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#seccomp", "a call without a rule fails with defaultErrnoRet, and with EPERM without one")]
    public Task A_call_without_a_rule_fails_with_the_default_error(string name) => Under(name, async runtime =>
    {
        JsonObject filter = Filter("SCMP_ACT_ERRNO", Rule("SCMP_ACT_ALLOW", Needed));
        Assert.Equal(NotPermitted, await CallAsync(runtime, Uname, 0, filter));
        filter["defaultErrnoRet"] = NotSupported;
        Assert.Equal(NotSupported, await CallAsync(runtime, Uname, 0, filter.DeepClone().AsObject()));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: configuration", "a call that is newer than all of the filter fails with ENOSYS, so that programs fall back on an older one")]
    public Task A_call_that_the_filter_cannot_know_does_not_exist(string name) => Under(name, async runtime =>
        Assert.Equal(NoSuchCall, await CallAsync(runtime, Unknown, 0, Filter("SCMP_ACT_ERRNO", Rule("SCMP_ACT_ALLOW", Needed)))));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#seccomp", "SCMP_ACT_KILL_PROCESS ends the process with SIGSYS")]
    public Task A_call_can_end_the_process(string name) => Under(name, async runtime =>
        Assert.Equal(128 + 31, await CallAsync(runtime, Uname, 0, Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_KILL_PROCESS", "uname")))));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#seccomp", "a rule with args is for calls with such arguments only")]
    public Task A_rule_can_ask_for_an_argument(string name) => Under(name, async runtime =>
    {
        JsonObject rule = Rule("SCMP_ACT_ERRNO", "personality");
        rule["errnoRet"] = NotSupported;
        rule["args"] = new JsonArray(new JsonObject { ["index"] = 0, ["value"] = 8, ["op"] = "SCMP_CMP_EQ" });
        JsonObject filter = Filter("SCMP_ACT_ALLOW", rule);
        Assert.Equal(NotSupported, await CallAsync(runtime, Personality, 8, filter));
        Assert.Equal(0, await CallAsync(runtime, Personality, 0, filter.DeepClone().AsObject()));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#seccomp", "the filter is there with noNewPrivileges and without, and is one")]
    public Task There_is_one_filter(string name) => Under(name, async runtime =>
    {
        string own = (await File.ReadAllLinesAsync("/proc/self/status", Cancellation)).SingleOrDefault(line => line.StartsWith("Seccomp_filters:", StringComparison.Ordinal)) ?? "0\t0";
        int filters = int.Parse(own.Split('\t')[1], CultureInfo.InvariantCulture) + 1;
        foreach (bool isSet in new[] { true, false })
        {
            ProgramResult result = await runtime.ScriptAsync("grep -E '^(NoNewPrivs|Seccomp)' /proc/self/status", config =>
            {
                config.Process["noNewPrivileges"] = isSet;
                config.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "uname"));
            });
            Assert.Equal($"NoNewPrivs:\t{(isSet ? 1 : 0)}\nSeccomp:\t2\nSeccomp_filters:\t{filters}\n", result.Succeeded().Output);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#seccomp", "SCMP_ACT_NOTIFY asks the agent at listenerPath, for the container's process and for one of exec; it gets the container's state, listenerMetadata and the process ID")]
    public Task An_agent_decides_on_a_call(string name) => Under(name, async runtime =>
    {
        foreach (bool isSet in new[] { true, false })
        {
            using AgentSocket agent = await AgentSocket.ListenAsync(runtime[$"agent-{isSet}.sock"]);
            Container container = await runtime.StartedAsync(config =>
            {
                config.Script("mkdir /made; echo done; exec sleep 1000");
                config.Process["noNewPrivileges"] = isSet;
                JsonObject filter = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_NOTIFY", "mkdir", "mkdirat"));
                filter["listenerPath"] = agent.Path;
                filter["listenerMetadata"] = "told";
                config.Linux["seccomp"] = filter;
            });
            Assert.Contains("not supported", await container.WritesAsync("done"), StringComparison.Ordinal);

            ProgramResult exec = await container.ExecAsync("mkdir", "/made");

            Assert.Equal(1, exec.Status);
            Assert.Contains("not supported", exec.Error, StringComparison.Ordinal);
            string told = $"agent metadata=told id={container.Id} pid=";
            await agent.HasAsync($"{told}other\n{told}same\n"); // a child of the shell, and the process of exec itself
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "exec has the capabilities and the filter of the container, with no_new_privs and without, and no signal is blocked or ignored")]
    public Task A_process_of_exec_has_the_filter_and_no_capability_more(string name) => Under(name, async runtime =>
    {
        foreach (bool isSet in new[] { true, false })
        {
            Container container = await runtime.SleepingAsync(config =>
            {
                config.Capabilities("CAP_CHOWN", "CAP_KILL");
                config.Process["noNewPrivileges"] = isSet;
                config.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "mkdir", "mkdirat"));
            });

            ProgramResult exec = await container.ExecAsync("sh", "-c", "grep -E '^(SigBlk|SigIgn|Cap|NoNewPrivs|Seccomp:)' /proc/self/status; mkdir /made 2>/dev/null || echo refused");

            string[] sets = ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000", "CapInh:\t0000000000000000", .. from set in new[] { "Prm", "Eff", "Bnd" } select $"Cap{set}:\t0000000000000021", "CapAmb:\t0000000000000000"];
            Assert.Equal([.. sets, $"NoNewPrivs:\t{(isSet ? 1 : 0)}", "Seccomp:\t2", "refused"], exec.Succeeded().Lines);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "a filter that keeps the runtime from dropping capabilities makes exec fail: no program runs with more than it should have")]
    public Task Exec_fails_where_capabilities_cannot_be_dropped_under_the_filter(string name) => Under(name, async runtime =>
    {
        // with no_new_privs the filter comes last, so that the container itself can start
        Container container = await runtime.SleepingAsync(config =>
        {
            config.Capabilities("CAP_CHOWN");
            config.Process["noNewPrivileges"] = true;
            config.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", "capset"));
        });
        JsonObject process = JsonNode.Parse(await File.ReadAllTextAsync(container.Bundle.ConfigPath, Cancellation))!["process"]!.AsObject();
        process["noNewPrivileges"] = false;
        process["args"] = new JsonArray("echo", "ran");
        await File.WriteAllTextAsync(runtime["process.json"], process.ToJsonString(), Cancellation);

        ProgramResult exec = await runtime.RunAsync("exec", "--process", runtime["process.json"], container.Id);

        Assert.NotEqual(0, exec.Status);
        Assert.DoesNotContain("ran", exec.Output, StringComparison.Ordinal);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "an unknown action of a filter is an error")]
    public Task An_unknown_action_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Linux["seccomp"] = Filter("SCMP_ACT_ALLOW", Rule("SCMP_ACT_SHRUG", "uname"))));

    /// <summary>Makes one call under a filter; its error number, 0 for success.</summary>
    private static async Task<int> CallAsync(RuntimeUnderTest runtime, int number, int argument, JsonObject filter)
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Process["args"] = new JsonArray("/call");
            config.Process["noNewPrivileges"] = true;
            config.Linux["seccomp"] = filter;
        });
        SyscallProgram.Write(bundle["call"], number, argument);
        return (await runtime.RunBundleAsync(bundle)).Status;
    }

    private static JsonObject Filter(string action, params JsonNode[] rules) => new()
    {
        ["defaultAction"] = action,
        ["architectures"] = new JsonArray("SCMP_ARCH_X86_64"),
        ["syscalls"] = new JsonArray(rules),
    };

    private static JsonObject Rule(string action, params string[] names) => new() { ["names"] = Configs.Array(names), ["action"] = action };
}
