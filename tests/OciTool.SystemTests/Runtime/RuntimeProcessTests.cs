using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config.md#process: what is run, and with which limits and priorities.</summary>
public sealed class RuntimeProcessTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "cwd is where the program begins")]
    [Requirement("command line: semantics", "a working directory that is missing is made, as runc does")]
    public Task The_program_begins_in_its_directory(string name) => Under(name, async runtime =>
    {
        Assert.Equal("/tmp\n", (await runtime.ScriptAsync("pwd", config => config.Process["cwd"] = "/tmp")).Succeeded().Output);
        Assert.Equal("/not/there\n", (await runtime.ScriptAsync("pwd", config => config.Process["cwd"] = "/not/there")).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "cwd is an absolute path")]
    public Task A_relative_directory_is_refused(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Process["cwd"] = "tmp");
        await runtime.RefusesAsync(config => config.Process["cwd"] = "");
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "env is the whole environment of the program")]
    public Task The_environment_is_the_configured_one(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.ScriptAsync("env", config =>
            config.Process["env"] = new JsonArray("PATH=/bin", "HOME=/here", "EMPTY=", "WITH=a=b c"));
        Assert.Equal(["EMPTY=", "HOME=/here", "PATH=/bin", "WITH=a=b c"], result.Succeeded().Lines.Where(line => !line.StartsWith("PWD=", StringComparison.Ordinal) && !line.StartsWith("SHLVL=", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "args are the program's arguments, the first included")]
    public Task The_arguments_arrive_as_they_are(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Process["args"] = new JsonArray("sh", "-c", "for a in \"$@\"; do echo \"[$a]\"; done", "zero", "", "a b", "ü", "*", "-x"));
        Assert.Equal("[]\n[a b]\n[ü]\n[*]\n[-x]\n", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "args has at least one entry")]
    public Task A_process_without_arguments_is_refused(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Process["args"] = new JsonArray());
        await runtime.RefusesAsync(config => config.Process.Remove("args"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "the program is looked for in the PATH of env, as execvp does")]
    [Requirement("command line: semantics", "the program is looked for in the container, with the container's PATH, at create")]
    public Task The_program_is_looked_for_in_the_path_of_the_container(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Process["args"] = new JsonArray("only-here");
            config.Process["env"] = new JsonArray("PATH=/nowhere:/odd/place:/bin");
        });
        Directory.CreateDirectory(bundle["odd/place"]);
        await File.WriteAllTextAsync(bundle["odd/place/only-here"], "#!/bin/sh\necho found $0\n", Cancellation);
        File.SetUnixFileMode(bundle["odd/place/only-here"], (UnixFileMode)0b111_101_101);
        Assert.Equal("found /odd/place/only-here\n", (await runtime.RunBundleAsync(bundle)).Succeeded().Output);
        bundle.Change(config => config.Process["env"] = new JsonArray("PATH=/bin"));
        (_, ProgramResult result) = await runtime.TryCreateAsync(bundle);
        Assert.Equal(1, result.Status);
        Assert.Contains("""exec: "only-here": executable file not found in $PATH""", result.Error.Replace("\\\"", "\""));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#process", "a name with a slash is relative to cwd, in the root")]
    public Task A_program_can_be_named_by_its_path(string name) => Under(name, async runtime =>
    {
        Assert.Equal("yes\n", (await runtime.RunBundleAsync(runtime.NewBundle(config => config.Process["args"] = new JsonArray("/bin/echo", "yes")))).Succeeded().Output);
        Assert.Equal("yes\n", (await runtime.RunBundleAsync(runtime.NewBundle(config =>
        {
            config.Process["args"] = new JsonArray("./echo", "yes");
            config.Process["cwd"] = "/bin";
        }))).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: errors", "a program that is not there: `stat PATH: no such file or directory`; one that is no program: `permission denied`")]
    public Task What_cannot_be_executed_is_said_at_create(string name) => Under(name, async runtime =>
    {
        string missing = await runtime.RefusesAsync(config => config.Process["args"] = new JsonArray("/not/there"));
        Assert.Contains("""exec: "/not/there": stat /not/there: no such file or directory""", missing.Replace("\\\"", "\""));
        Assert.DoesNotMatch("(?i)permission denied|operation not permitted", missing);
        Bundle bundle = runtime.NewBundle(config => config.Process["args"] = new JsonArray("/etc/passwd"));
        await File.WriteAllTextAsync(bundle["etc/passwd"], "root:x:0:0:root:/root:/bin/sh\n", Cancellation);
        (_, ProgramResult denied) = await runtime.TryCreateAsync(bundle);
        Assert.Equal(1, denied.Status);
        Assert.Contains("""exec: "/etc/passwd": permission denied""", denied.Error.Replace("\\\"", "\""));
        Assert.Contains("permission denied", await runtime.RefusesAsync(config => config.Process["args"] = new JsonArray("/etc")));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-process", "rlimits are what getrlimit gives, soft and hard")]
    public Task Limits_are_set(string name) => Under(name, async runtime =>
    {
        JsonObject Limit(string type, ulong soft, ulong hard) => new() { ["type"] = type, ["soft"] = soft, ["hard"] = hard };
        ProgramResult result = await runtime.ScriptAsync("cat /proc/self/limits", config => config.Process["rlimits"] = new JsonArray(
            Limit("RLIMIT_NOFILE", 512, 600), Limit("RLIMIT_CORE", 0, 4096), Limit("RLIMIT_FSIZE", 1000000, ulong.MaxValue),
            Limit("RLIMIT_NPROC", 50, 60), Limit("RLIMIT_STACK", 4194304, 4194304), Limit("RLIMIT_NICE", 0, 0), Limit("RLIMIT_RTTIME", 7, 8),
            Limit("RLIMIT_MSGQUEUE", 100, 200), Limit("RLIMIT_SIGPENDING", 5, 6)));
        string Of(string limit) => string.Join(' ', Assert.Single(result.Succeeded().Lines, line => line.StartsWith(limit, StringComparison.Ordinal))[limit.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]);
        Assert.Equal("512 600", Of("Max open files"));
        Assert.Equal("0 4096", Of("Max core file size"));
        Assert.Equal("1000000 unlimited", Of("Max file size"));
        Assert.Equal("50 60", Of("Max processes"));
        Assert.Equal("4194304 4194304", Of("Max stack size"));
        Assert.Equal("0 0", Of("Max nice priority"));
        Assert.Equal("7 8", Of("Max realtime timeout"));
        Assert.Equal("100 200", Of("Max msgqueue size"));
        Assert.Equal("5 6", Of("Max pending signals"));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-process", "an rlimit that the kernel does not know is an error")]
    public Task An_unknown_limit_is_refused(string name) => Under(name, runtime => runtime.RefusesAsync(config =>
        config.Process["rlimits"] = new JsonArray(new JsonObject { ["type"] = "RLIMIT_HAPPINESS", ["soft"] = 1, ["hard"] = 1 })));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#posix-process", "an rlimit that is given twice is an error")]
    [RuncDiffers("1.1 sets one after the other")]
    public Task A_limit_that_is_given_twice_is_refused(string name) => Under(name, runtime => runtime.RefusesAsync(config =>
        config.Process["rlimits"] = new JsonArray(
            new JsonObject { ["type"] = "RLIMIT_NOFILE", ["soft"] = 512, ["hard"] = 512 },
            new JsonObject { ["type"] = "RLIMIT_NOFILE", ["soft"] = 500, ["hard"] = 500 })));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "noNewPrivileges is set, and only then")]
    public Task New_privileges_can_be_ruled_out(string name) => Under(name, async runtime =>
    {
        Assert.Equal("NoNewPrivs:\t1\n", (await runtime.ScriptAsync("grep NoNewPrivs /proc/self/status", config => config.Process["noNewPrivileges"] = true)).Succeeded().Output);
        Assert.Equal("NoNewPrivs:\t0\n", (await runtime.ScriptAsync("grep NoNewPrivs /proc/self/status")).Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "oomScoreAdj is set to the given value")]
    [Requirement("config.md#linux-process", "without oomScoreAdj the score is not changed")]
    [Requirement("command line: configuration", "oomScoreAdj that changes nothing needs no privilege")]
    public Task The_score_for_the_killer_of_memory_is_set(string name) => Under(name, async runtime =>
    {
        Assert.Equal("500\n", (await runtime.ScriptAsync("cat /proc/self/oom_score_adj", config => config.Process["oomScoreAdj"] = 500)).Succeeded().Output);
        Assert.Equal("0\n", (await runtime.ScriptAsync("cat /proc/self/oom_score_adj", config => config.Process["oomScoreAdj"] = 0)).Succeeded().Output);
        Bundle bundle = runtime.NewBundle(config => config.Script("cat /proc/self/oom_score_adj"));
        ProgramResult kept = await runtime.ThroughShellAsync("echo 123 > /proc/self/oom_score_adj; exec \"$@\"", "run", "-b", bundle.Path, runtime.NewId());
        Assert.Equal("123\n", kept.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "ioPriority has a class and a level")]
    [RuncDiffers("1.1 does not know it")]
    public Task The_priority_for_input_and_output_is_set(string name) => Under(name, async runtime =>
        Assert.Equal("best-effort: prio 6\n", (await runtime.ScriptAsync("ionice -p 1", config =>
            config.Process["ioPriority"] = new JsonObject { ["class"] = "IOPRIO_CLASS_BE", ["priority"] = 6 })).Succeeded().Output));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#linux-process", "scheduler sets policy and nice value")]
    [RuncDiffers("1.1 does not know it")]
    public Task The_scheduler_is_set(string name) => Under(name, async runtime =>
    {
        // fields 19 and 41 of proc_pid_stat(5): the nice value, and the policy, SCHED_BATCH
        ProgramResult result = await runtime.ScriptAsync("cut -d' ' -f19,41 /proc/1/stat", config =>
            config.Process["scheduler"] = new JsonObject { ["policy"] = "SCHED_BATCH", ["nice"] = 7 });
        Assert.Equal("7 3\n", result.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "an unknown scheduling policy or I/O class is an error")]
    [RuncDiffers("1.1 does not know scheduler and ioPriority")]
    public Task Unknown_policies_are_refused(string name) => Under(name, async runtime =>
    {
        await runtime.RefusesAsync(config => config.Process["scheduler"] = new JsonObject { ["policy"] = "SCHED_NEVER" });
        await runtime.RefusesAsync(config => config.Process["ioPriority"] = new JsonObject { ["class"] = "IOPRIO_CLASS_LAST", ["priority"] = 0 });
        await runtime.RefusesAsync(config => config.Process["ioPriority"] = new JsonObject { ["class"] = "IOPRIO_CLASS_BE", ["priority"] = 9 });
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: exit codes", "run has the program's status, and 128 and the number of its signal")]
    public Task The_status_of_the_program_is_that_of_run(string name) => Under(name, async runtime =>
    {
        Assert.Equal(0, (await runtime.ScriptAsync("exit 0")).Status);
        Assert.Equal(42, (await runtime.ScriptAsync("exit 42")).Status);
        // the first process of a namespace has to be killed from outside
        Bundle bundle = runtime.NewBundle(config => config.Process["args"] = new JsonArray("sleep", "1000"));
        string id = runtime.NewId();
        using RunningProgram run = RunningProgram.Start(runtime.Path, ["--root", runtime.Root, "run", "--bundle", bundle.Path, id]);
        await EventuallyAsync(() => runtime.RunAsync("kill", id, "KILL"), result => result.Status == 0);
        Assert.Equal(128 + 9, (await run.EndAsync()).Status);
        Assert.NotEqual(0, (await runtime.RunAsync("state", id)).Status);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "run in the foreground passes signals on to the program")]
    public Task A_signal_to_run_reaches_the_program(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"));
        using RunningProgram run = RunningProgram.Start(runtime.Path, ["--root", runtime.Root, "run", "--bundle", bundle.Path, runtime.NewId()]);
        await run.OutputHasAsync("ready");
        await run.SignalAsync("TERM");
        Assert.Equal(7, (await run.EndAsync()).Status);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "exec passes signals on to the program, from its first line on")]
    public Task A_signal_to_exec_reaches_the_program(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        for (int round = 0; round < 5; round++)
        {
            using RunningProgram exec = RunningProgram.Start(
                runtime.Path, ["--root", runtime.Root, "exec", container.Id, "sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"]);
            await exec.OutputHasAsync("ready");
            await exec.SignalAsync("TERM");
            Assert.Equal(7, (await exec.EndAsync()).Status);
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "run in the foreground deletes the container; with `--keep` it stays, stopped")]
    public Task Run_can_keep_the_container(string name) => Under(name, async runtime =>
    {
        string id = runtime.NewId();
        Assert.Equal(3, (await runtime.RunAsync("run", "--keep", "-b", runtime.NewBundle(config => config.Script("exit 3")).Path, id)).Status);
        Assert.Contains("stopped", (await runtime.RunAsync("state", id)).Succeeded().Output);
        (await runtime.RunAsync("delete", id)).Succeeded();
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "standard input, output and error are the caller's, apart")]
    public Task The_streams_are_those_of_the_caller(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("cat; echo error >&2"));
        ProgramResult result = await runtime.RunWithInputAsync("input\n", "run", "-b", bundle.Path, runtime.NewId());
        Assert.Equal("input\n", result.Succeeded().Output);
        Assert.Equal("error\n", result.Error);
    });
}
