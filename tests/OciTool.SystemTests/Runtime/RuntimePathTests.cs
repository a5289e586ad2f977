using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>config-linux.md: paths that are masked or read-only, the propagation of the root, and the personality.</summary>
public sealed class RuntimePathTests : RuntimeTest
{
    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#masked-paths", "what is masked cannot be read: a file is empty, a directory has no entries")]
    [Requirement("command line: configuration", "a path to mask that is not there is no error")]
    public Task Masked_paths_are_empty(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("cat /etc/secret; ls -A /etc/dir; (echo x > /etc/dir/new) 2>/dev/null || echo read-only; cat /proc/kcore | head -c1; wc -c < /proc/keys");
            config.Linux["maskedPaths"] = Configs.Array("/etc/secret", "/etc/dir", "/proc/kcore", "/proc/keys", "/nowhere");
        });
        await File.WriteAllTextAsync(bundle["etc/secret"], "secret", Cancellation);
        Directory.CreateDirectory(bundle["etc/dir"]);
        await File.WriteAllTextAsync(bundle["etc/dir/file"], "secret", Cancellation);
        ProgramResult result = await runtime.RunBundleAsync(bundle);
        Assert.Equal(["read-only", "0"], result.Succeeded().Lines);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#readonly-paths", "a path that is read-only is readable, and cannot be written")]
    [Requirement("command line: configuration", "a path to make read-only that is not there is no error")]
    public Task Readonly_paths_can_be_read_and_not_written(string name) => Under(name, async runtime =>
    {
        Bundle bundle = runtime.NewBundle(config =>
        {
            config.Script("cat /etc/file /etc/dir/file; for f in /etc/file /etc/dir/file /etc/dir/new /proc/sys/kernel/domainname; do (echo x > $f) 2>/dev/null && echo wrote $f; done; echo x > /etc/other && echo other");
            config.Linux["readonlyPaths"] = Configs.Array("/etc/file", "/etc/dir", "/proc/sys", "/nowhere");
        });
        await File.WriteAllTextAsync(bundle["etc/file"], "one\n", Cancellation);
        Directory.CreateDirectory(bundle["etc/dir"]);
        await File.WriteAllTextAsync(bundle["etc/dir/file"], "two\n", Cancellation);
        Assert.Equal(["one", "two", "other"], (await runtime.RunBundleAsync(bundle)).Succeeded().Lines);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#rootfs-mount-propagation", "a root that is private or slave shares nothing with the host")]
    public Task A_root_shares_nothing_unless_it_is_asked_for(string name) => Under(name, async runtime =>
    {
        // the optional fields of a line of mountinfo end with a dash
        const string script = "awk '$5 == \"/\" { for (i = 7; $i != \"-\"; i++) { sub(/:.*/, \"\", $i); print $i } print \"end\" }' /proc/self/mountinfo";
        Assert.Equal(["end"], (await runtime.ScriptAsync(script, config => config.Linux["rootfsPropagation"] = "private")).Succeeded().Lines);
        Assert.DoesNotContain("shared", (await runtime.ScriptAsync(script, config => config.Linux["rootfsPropagation"] = "slave")).Succeeded().Lines);
    });

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config.md#valid-values", "an unknown propagation is an error")]
    public Task An_unknown_propagation_is_refused(string name) => Under(name, runtime =>
        runtime.RefusesAsync(config => config.Linux["rootfsPropagation"] = "sideways"));

    [Theory, MemberData(nameof(Runtimes))]
    [Requirement("config-linux.md#personality", "LINUX32 has the machine look like one of 32 bits")]
    [RuncDiffers("1.1 does not know it")]
    public Task The_personality_is_set(string name) => Under(name, async runtime =>
    {
        Need.That(RuntimeInformation.OSArchitecture == Architecture.X64, "needs x86-64");
        Assert.Equal("i686\n", (await runtime.ScriptAsync("uname -m", config =>
            config.Linux["personality"] = new JsonObject { ["domain"] = "LINUX32" })).Succeeded().Output);
    });
}
