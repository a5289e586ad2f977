using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>Attacks that succeeded against other runtimes, by bundles and by <c>exec</c>; only ours is asked, for older ones still have some.</summary>
public sealed class RuntimeCveTests : RuntimeTest
{
    private const string Secret = "a-secret-of-the-host";

    private static int Rounds => int.Parse(
        Environment.GetEnvironmentVariable("OCI_RACE_ROUNDS") is { Length: > 0 } rounds ? rounds : "60", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("link")]
    [InlineData("file")]
    [Cve("CVE-2025-31133", "/dev/null of the root filesystem is a link, so that a masked file is a file of the host, to be written")]
    public async Task A_masked_file_does_not_become_what_dev_null_of_the_image_is(string kind)
    {
        await using RuntimeUnderTest runtime = RuntimeUnderTest.Called(RuntimeUnderTest.OciRuntime);
        (string canary, string before) = await PlantAsync(runtime);
        Bundle bundle = runtime.NewBundle(config =>
        {
            WithoutDevices(config);
            config.Mount("/host", "bind", canary, "rbind", "ro");
            config.Linux["maskedPaths"] = Configs.Array("/proc/timer_list", "/proc/keys", "/proc/acpi");
            config.Script("for path in /proc/timer_list /proc/keys; do cat $path; echo evil > $path; done 2>/dev/null; true");
        });
        if (kind == "link")
        {
            File.CreateSymbolicLink(bundle["dev/null"], "/proc/sys/kernel/../../../host/secret");
        }
        else
        {
            await File.WriteAllTextAsync(bundle["dev/null"], Secret, Cancellation);
        }

        ProgramResult run = await runtime.RunBundleAsync(bundle);

        // a refusal is as good
        Assert.True(run.Status is 0 or 1, run.ToString());
        Assert.DoesNotContain(Secret, run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Timer List", run.Output, StringComparison.Ordinal);
        Assert.Equal(before, await Tree.HashAsync(canary));
    }

    [Fact]
    [Cve("CVE-2025-52565", "/dev/console of the root filesystem is a link, on whose target the terminal is mounted")]
    public async Task The_console_is_not_mounted_where_a_link_leads()
    {
        await using RuntimeUnderTest runtime = RuntimeUnderTest.Called(RuntimeUnderTest.OciRuntime);
        (string canary, string before) = await PlantAsync(runtime);
        foreach (string target in new[] { $"{canary}/secret", "../../../../../../../../../../.." + canary + "/made", "/proc/sysrq-trigger", "/proc/self/attr/exec" })
        {
            using ConsoleSocket console = await ConsoleSocket.ListenAsync(runtime[$"c{target.GetHashCode(StringComparison.Ordinal):x}.sock"]);
            Bundle bundle = runtime.NewBundle(config =>
            {
                WithoutDevices(config);
                config.Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620");
                config.Process["terminal"] = true;
                config.Script("echo written > /dev/console; grep -c ' /proc/' /proc/self/mountinfo; echo end");
            });
            Directory.CreateDirectory(bundle["dev/pts"]);
            File.CreateSymbolicLink(bundle["dev/console"], target);

            (Container container, ProgramResult created) = await runtime.TryCreateAsync(bundle, id: null, "--console-socket", console.Path);
            if (created.Status == 0)
            {
                (await container.StartAsync()).Succeeded();
                string shown = await console.HasAsync("end");
                Assert.Contains("\n0\r\n", shown, StringComparison.Ordinal);
                await container.StoppedAsync();
            }

            Assert.Equal(before, await Tree.HashAsync(canary));
        }
    }

    [Theory]
    [InlineData("bind")]
    [InlineData("below")]
    [InlineData("link")]
    [Cve("CVE-2019-16884", "a directory in place of /proc, so that the label of the security module goes nowhere")]
    [Cve("CVE-2023-28642", "/proc is a link, with the same effect")]
    [Cve("CVE-2023-27561", "a mount below /proc hides what protects it")]
    [Cve("CVE-2025-52881", "a write to /proc is led to another file of the host's /proc")]
    public async Task Nothing_but_proc_is_proc(string kind)
    {
        await using RuntimeUnderTest runtime = RuntimeUnderTest.Called(RuntimeUnderTest.OciRuntime);
        (string canary, string before) = await PlantAsync(runtime);
        Bundle bundle = runtime.NewBundle(config =>
        {
            JsonNode proc = config.Mounts.Single(mount => (string?)mount!["destination"] == "/proc")!;
            if (kind == "bind")
            {
                config.Mounts.Remove(proc);
                config.Mount("/proc", "bind", canary, "bind");
            }
            else if (kind == "below")
            {
                config.Mount("/proc/self/attr", "bind", canary, "bind");
            }
        });
        if (kind == "link")
        {
            Directory.Delete(bundle["proc"]);
            File.CreateSymbolicLink(bundle["proc"], canary);
        }

        ProgramResult run = await runtime.RunBundleAsync(bundle);

        Assert.True(run.Status == 1, run.ToString());
        Assert.Contains("/proc", run.Error, StringComparison.Ordinal);
        Assert.Equal(before, await Tree.HashAsync(canary));
    }

    [Theory]
    [InlineData("tmpfs")]
    [InlineData("none")]
    [Cve("CVE-2019-16884", "the same by a file system of the container's: what is written there is lost without a word")]
    [Cve("CVE-2025-52881", "a kernel parameter goes to a file of the container's instead of the kernel")]
    public async Task What_is_written_to_proc_reaches_the_kernel_whatever_the_container_has_there(string kind)
    {
        await using RuntimeUnderTest runtime = RuntimeUnderTest.Called(RuntimeUnderTest.OciRuntime);
        (string canary, string before) = await PlantAsync(runtime);
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Mounts.Remove(config.Mounts.Single(mount => (string?)mount!["destination"] == "/proc"));
            if (kind == "tmpfs")
            {
                config.Mount("/proc", "tmpfs", "tmpfs");
            }

            config.Linux["sysctl"] = new JsonObject { ["net.ipv4.ip_forward"] = "1" };
            config.Process["args"] = new JsonArray("sleep", "1000");
        });
        Directory.CreateDirectory(bundle["proc/sys/net/ipv4"]);
        File.CreateSymbolicLink(bundle["proc/sys/net/ipv4/ip_forward"], $"{canary}/secret");
        string host = await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_forward", Cancellation);

        (Container container, ProgramResult created) = await runtime.TryCreateAsync(bundle);

        // a refusal is as good
        if (created.Status == 0)
        {
            int pid = await container.PidAsync();
            string network = string.Create(CultureInfo.InvariantCulture, $"--net=/proc/{pid}/ns/net");
            ProgramResult value = await Shell.RunAsync("nsenter", network, "cat", "/proc/sys/net/ipv4/ip_forward");
            Assert.Equal("1\n", value.Succeeded().Output);
        }

        Assert.Equal(host, await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_forward", Cancellation));
        Assert.Equal(before, await Tree.HashAsync(canary));
    }

    [Fact]
    [Cve("CVE-2024-21626", "the working directory of a configuration or of exec is a descriptor of the host")]
    public async Task No_descriptor_of_the_host_is_a_working_directory()
    {
        await using RuntimeUnderTest runtime = RuntimeUnderTest.Called(RuntimeUnderTest.OciRuntime);
        (string canary, string before) = await PlantAsync(runtime);
        string steal = $"cat {string.Concat(Enumerable.Repeat("../", 20))}{canary[1..]}/secret; true";
        Container sleeping = await runtime.SleepingAsync();
        for (int descriptor = 0; descriptor <= 20; descriptor++)
        {
            string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor}");
            ProgramResult run = await runtime.ScriptAsync(steal, config => config.Process["cwd"] = directory);
            ProgramResult exec = await runtime.RunAsync("exec", "--cwd", directory, sleeping.Id, "sh", "-c", steal);
            Assert.DoesNotContain(Secret, run.Output + exec.Output, StringComparison.Ordinal);
        }

        Assert.Equal(before, await Tree.HashAsync(canary));
    }

    [Theory, MemberData(nameof(Runtimes))]
    [Cve("CVE-2019-5736", "the container writes the runtime while exec starts a program in it")]
    [Cve("CVE-2016-9962", "the container looks into the process of exec, its root and its descriptors, before it runs the program")]
    [Trait("Pace", "slow")]
    public Task A_process_that_enters_a_container_can_neither_be_written_nor_looked_into(string name) => Under(name, runtime =>
        EnteredByNobodyAsync(runtime, "CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"));

    [Theory, MemberData(nameof(Runtimes))]
    [Trait("Pace", "slow")]
    public Task Nor_by_a_container_that_may_trace(string name) => Under(name, runtime =>
        EnteredByNobodyAsync(runtime, "CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"));

    [Fact]
    [Cve("CVE-2022-29162", "exec gives inheritable capabilities")]
    [Cve("CVE-2022-27650", "the same in another runtime")]
    public async Task A_process_that_enters_a_container_has_no_inheritable_capability()
    {
        await using RuntimeUnderTest runtime = RuntimeUnderTest.Called(RuntimeUnderTest.OciRuntime);
        Container sleeping = await runtime.SleepingAsync();

        ProgramResult exec = await runtime.RunAsync("exec", "--cap", "CAP_KILL", sleeping.Id, "grep", "-E", "^Cap(Inh|Amb)", "/proc/self/status");

        Assert.Equal(["CapInh:\t0000000000000000", "CapAmb:\t0000000000000000"], exec.Succeeded().Lines);
    }

    /// <summary>Enters a container that tries to get hold of whoever does, all the time.</summary>
    private static async Task EnteredByNobodyAsync(RuntimeUnderTest runtime, params string[] capabilities)
    {
        (string canary, string before) = await PlantAsync(runtime);
        string binary = await BinaryHashAsync();
        Container hostile = await runtime.StartedAsync(config =>
        {
            config.Capabilities(capabilities);
            config.Script(
                $$"""
                echo ready
                while :; do
                  for process in /proc/[0-9]*; do
                    (: >> $process/root{{canary}}/written) 2>/dev/null && echo "ENTERED by root"
                    (: >> $process/cwd{{canary}}/written) 2>/dev/null && echo "ENTERED by cwd"
                    (echo evil >> $process/exe) 2>/dev/null && echo "WRITTEN"
                    for descriptor in $process/fd/*; do
                      found=$(readlink $descriptor 2>/dev/null)
                      case $found in
                        ''|/dev/null|pipe:*|/proc/*|/dev/pts/*|socket:*|*.out|/bin/*|/|anon_inode:*) ;;
                        *) echo "OPEN $found" ;;
                      esac
                    done
                  done
                done
                """);
        });
        await hostile.WritesAsync("ready");

        // runc only shows that nothing else is found
        int rounds = runtime.Name == RuntimeUnderTest.OciRuntime ? Rounds : Math.Min(Rounds, 20);
        for (int round = 0; round < rounds; round++)
        {
            (await hostile.ExecAsync("true")).Succeeded();
            await hostile.ExecAsync("/proc/self/exe", "--version");
        }

        Assert.Equal(binary, await BinaryHashAsync());
        Assert.Empty(hostile.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line != "ready").Distinct());
        Assert.Equal(before, await Tree.HashAsync(canary));
    }

    /// <summary>Has the container see /dev of its root filesystem.</summary>
    private static void WithoutDevices(JsonObject config)
    {
        foreach (JsonNode? mount in config.Mounts.Where(mount => ((string)mount!["destination"]!).StartsWith("/dev", StringComparison.Ordinal)).ToArray())
        {
            config.Mounts.Remove(mount);
        }
    }

    private static async Task<(string Directory, string Hash)> PlantAsync(RuntimeUnderTest runtime)
    {
        string canary = Directory.CreateDirectory(runtime["canary"]).FullName;
        await File.WriteAllTextAsync($"{canary}/secret", Secret, Cancellation);
        return (canary, await Tree.HashAsync(canary));
    }

    private static async Task<string> BinaryHashAsync()
    {
        await using FileStream binary = File.OpenRead(Oci.Binary);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(binary, Cancellation));
    }
}
