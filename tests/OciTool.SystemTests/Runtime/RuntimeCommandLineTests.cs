using System.Globalization;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>The command line that engines rely on.</summary>
public sealed class RuntimeCommandLineTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: flags", "`--flag=value` and `--flag value` are the same, for global flags and those of a verb")]
    [Requirement("command line: semantics", "the PID file has the number and nothing else, and is complete when the verb returns")]
    public Task Both_spellings_of_a_flag_are_known(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("exec sleep 1000"));
        foreach (string[] flags in new[]
        {
            new[] { "--bundle", bundle.Path, "--pid-file", runtime["pid"] },
            [$"--bundle={bundle.Path}", $"--pid-file={runtime["pid"]}"],
            ["-b", bundle.Path, "--pid-file", runtime["pid"]],
        })
        {
            string id = runtime.NewId();
            string[] words = ["-c", "exec \"$@\" > /dev/null 2>&1 < /dev/null", "sh", runtime.Path, $"--root={runtime.Root}", "create", .. flags, id];
            (await Shell.RunAsync("sh", words)).Succeeded();
            JsonNode state = JsonNode.Parse((await runtime.RunAsync("state", id)).Succeeded().Output)!;
            Assert.Equal(((int)state["pid"]!).ToString(CultureInfo.InvariantCulture), await File.ReadAllTextAsync(runtime["pid"], Cancellation));
            (await runtime.RunAsync("delete", "-f", id)).Succeeded();
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: errors", "with `--log` and `--log-format json` an error is one line of JSON with level, msg and time")]
    public Task An_error_is_logged_as_json(string name) => Under(name, async runtime =>
    {
        foreach (string[] format in new[] { new[] { "--log-format", "json" }, ["--log-format=json"] })
        {
            string log = runtime[$"{Guid.NewGuid():N}.log"];
            ProgramResult result = await runtime.RunAsync(["--log", log, .. format, "state", "nobody"]);
            Assert.Equal(1, result.Status);
            Assert.Contains("does not exist", result.Error);
            JsonNode line = JsonNode.Parse(Assert.Single(await File.ReadAllLinesAsync(log, Cancellation)))!;
            Assert.Equal("error", (string?)line["level"]);
            Assert.Contains("does not exist", (string?)line["msg"]);
            var time = DateTimeOffset.Parse((string)line["time"]!, CultureInfo.InvariantCulture);
            Assert.InRange(time, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(1));
        }
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: errors", "with `--log` alone an error is one line of text with level, msg and time")]
    public Task An_error_is_logged_as_text(string name) => Under(name, async runtime =>
    {
        ProgramResult result = await runtime.RunAsync("--log", runtime["log"], "state", "nobody");
        Assert.Contains("does not exist", result.Error);
        string line = Assert.Single(await File.ReadAllLinesAsync(runtime["log"], Cancellation));
        Assert.Contains("time=", line);
        Assert.Contains("level=error", line);
        Assert.Contains("msg=\"", line);
        Assert.Contains("does not exist", line);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "`--preserve-fds` passes descriptors from 3 on, and no others are passed")]
    public Task Descriptors_are_passed_by_their_number(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("cat <&3; cat <&4; [ -e /proc/self/fd/5 ] && echo five; true"));
        ProgramResult result = await runtime.ThroughShellAsync(
            "exec \"$@\" 3<'" + bundle.ConfigPath + "' 4</dev/null 5</dev/null", "run", "--preserve-fds", "2", "-b", bundle.Path, runtime.NewId());
        Assert.Equal(await File.ReadAllTextAsync(bundle.ConfigPath, Cancellation), result.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "the environment may hold nothing but XDG_RUNTIME_DIR")]
    public Task No_environment_is_needed(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        ProgramResult state = await Shell.RunAsync("env", "-i", "XDG_RUNTIME_DIR=/run", runtime.Path, "--root", runtime.Root, "state", container.Id);
        Assert.Contains("running", state.Succeeded().Output);
        ProgramResult run = await Shell.RunAsync("env", "-i", "XDG_RUNTIME_DIR=/run", runtime.Path, "--root", runtime.Root, "run", "-b", runtime.NewBundle(config => config.Script("echo ran")).Path, runtime.NewId());
        Assert.Equal("ran\n", run.Succeeded().Output);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("runtime.md#delete", "delete with `--force` of a container that is gone succeeds and says nothing")]
    public Task Delete_with_force_can_be_repeated(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        (await container.DeleteAsync("--force")).Succeeded();
        ProgramResult again = await container.DeleteAsync("--force");
        Assert.Equal("", again.Succeeded().Error);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "kill with `--all` ends every process of a container in the host's PID namespace")]
    public Task Kill_all_reaches_every_process(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.StartedAsync(config =>
        {
            config.Without("pid");
            config.Script("sleep 1000 & sleep 1000 & echo ready; wait");
        });
        await container.WritesAsync("ready");
        Assert.Equal(3, Members().Length);
        (await runtime.RunAsync("kill", "--all", container.Id, "9")).Succeeded();
        Assert.Empty(await EventuallyAsync(() => Task.FromResult(Members()), members => members.Length == 0));

        string[] Members() => container.Cgroup.Read("pids", "cgroup.procs", "cgroup.procs").Split('\n', StringSplitOptions.RemoveEmptyEntries);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "exec has flags for user, environment, directory and capabilities")]
    public Task Exec_has_flags_for_its_process(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        ProgramResult result = await runtime.RunAsync(
            "exec", "-u", "5:6", "-e", "ONE=1", "-e", "TWO=2", "--cwd", "/tmp", container.Id, "sh", "-c", "id -u; id -g; echo $ONE$TWO; pwd; exit 9");
        Assert.Equal(9, result.Status);
        Assert.Equal(["5", "6", "12", "/tmp"], result.Lines);
        ProgramResult capable = await runtime.RunAsync("exec", "-c", "CAP_SYS_TIME", container.Id, "grep", "CapBnd", "/proc/self/status");
        long set = long.Parse(capable.Succeeded().Output.Split('\t')[1].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.NotEqual(0, set & (1L << 25));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "exec takes its process from a file, detached, and writes its PID file")]
    public Task Exec_takes_its_process_from_a_file(string name) => Under(name, async runtime =>
    {
        Container container = await runtime.SleepingAsync();
        await File.WriteAllTextAsync(runtime["process"], """{"user":{"uid":7,"gid":0},"args":["sh","-c","id -u > /tmp/out; exec sleep 1000"],"env":["PATH=/bin"],"cwd":"/"}""", Cancellation);
        (await runtime.RunDetachedAsync(runtime["out"], "exec", "--process", runtime["process"], "--detach", "--pid-file", runtime["pid"], container.Id)).Succeeded();
        int pid = int.Parse(await File.ReadAllTextAsync(runtime["pid"], Cancellation), CultureInfo.InvariantCulture);
        Assert.True(Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}")));
        string written = await EventuallyAsync(
            async () => File.Exists(container.Bundle["tmp/out"]) ? await File.ReadAllTextAsync(container.Bundle["tmp/out"], Cancellation) : "", text => text.Length > 0);
        Assert.Equal("7\n", written);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "features prints what the runtime can do as JSON")]
    public Task Features_are_json(string name) => Under(name, async runtime =>
    {
        JsonObject features = JsonNode.Parse((await runtime.RunAsync("features")).Succeeded().Output)!.AsObject();
        Assert.NotNull((string?)features["ociVersionMin"]);
        Assert.NotNull((string?)features["ociVersionMax"]);
        Assert.Equal(6, features["hooks"]!.AsArray().Count);
        Assert.Contains("rro", features["mountOptions"]!.AsArray().Select(option => (string?)option));
        Assert.True((bool)features["linux"]!["seccomp"]!["enabled"]!);
        Assert.True((bool)features["linux"]!["cgroup"]!["v1"]!);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "spec writes a configuration, and not over one that is there")]
    public Task Spec_writes_a_configuration(string name) => Under(name, async runtime =>
    {
        Directory.CreateDirectory(runtime["new"]);
        (await runtime.RunAsync("spec", "--bundle", runtime["new"])).Succeeded();
        string text = await File.ReadAllTextAsync(Path.Join(runtime["new"], "config.json"), Cancellation);
        Assert.NotNull((string?)JsonNode.Parse(text)!["ociVersion"]);
        Assert.NotEqual(0, (await runtime.RunAsync("spec", "--bundle", runtime["new"])).Status);
        Assert.Equal(text, await File.ReadAllTextAsync(Path.Join(runtime["new"], "config.json"), Cancellation));
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: verbs", "checkpoint of a container that does not exist fails")]
    public Task A_checkpoint_of_nothing_fails(string name) => Under(name, async runtime =>
        Assert.NotEqual(0, (await runtime.RunAsync("checkpoint", "nobody")).Status));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("command line: semantics", "no process of the runtime stays: the parent of init is the nearest sub-reaper")]
    [Requirement("command line: semantics", "init holds no descriptors but its streams and those that it waits with")]
    public Task Nothing_of_the_runtime_stays(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config => config.Script("exec sleep 1000"));
        // the first process of a namespace adopts what the runtime leaves behind; it ends the container before it ends itself
        ProgramResult result = await Shell.RunAsync(
            "unshare", "-pf", "--mount-proc", "sh", "-c",
            "\"$@\" </dev/null >/dev/null 2>&1; pid=$(cat \"$0\"); awk '/^PPid/ { print $2 }' /proc/$pid/status; readlink /proc/$pid/fd/0; ls /proc/$pid/fd | sort -n | head -3 | xargs; ls /proc | grep -c '^[0-9]'",
            runtime["pid"], runtime.Path, "--root", runtime.Root, "create", "-b", bundle.Path, "--pid-file", runtime["pid"], runtime.NewId());
        Assert.Equal(["1", "/dev/null", "0 1 2"], result.Succeeded().Lines[..3]);
    });
}
