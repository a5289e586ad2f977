using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using OciTool.Images;
using OciTool.Runtime;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class SpecGeneratorTests
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly RunOptions None = new() { Network = NetworkMode.None };

    [Fact]
    public void The_whole_configuration_of_an_image_with_flags_is_as_recorded()
    {
        using TestRoot root = TestRoot.WithAccounts("root:x:0:0::/root:/bin/sh\n", "root:x:0:\n");
        Directory.CreateDirectory(root.HostPath("/work"));
        RunOptions options = new()
        {
            Command = ["sh", "-c", "true"],
            Env = ["A=b"],
            User = "1000:1000",
            GroupAdd = ["44"],
            Network = NetworkMode.None,
            ReadOnly = true,
            NoNewPrivileges = true,
            Terminal = true,
            Volumes = [VolumeMount.Parse($"{root.Canary}:/data:ro")],
            Tmpfs = [TmpfsMount.Parse("/scratch:size=1m")],
            Ulimits = [Ulimit.Parse("nofile=10:10"), Ulimit.Parse("nproc=10:10"), Ulimit.Parse("core=0:0")],
        };
        GeneratedSpec generated = Generate(
            root, new() { Env = ["PATH=/bin", "IMAGE=1"], Cmd = ["ignored"], WorkingDir = "/work/" }, options);
        Assert.Empty(generated.Warnings);
        Assert.NotNull(generated.Seccomp);

        // what this machine and this process have is not what is recorded
        RuntimeSpec spec = generated.Spec with
        {
            Process = generated.Spec.Process! with { Capabilities = null },
            Linux = generated.Spec.Linux! with
            {
                MaskedPaths = [.. generated.Spec.Linux.MaskedPaths!.Where(path => !path.StartsWith("/sys/devices/system", StringComparison.Ordinal))],
                Namespaces = [.. generated.Spec.Linux.Namespaces!.Where(item => item.Type != "cgroup")],
            },
        };
        Golden("run.json", Indent(spec).Replace(root.Top, "/TOP", StringComparison.Ordinal));
        Assert.Equal(
            "root:x:0:0::/root:/bin/sh\n1000:*:1000:1000:container user:/work:/bin/sh\n",
            File.ReadAllText(Path.Join(root.Container, "passwd")));
        Assert.Equal("root:x:0:\n1000:x:1000:1000\n", File.ReadAllText(Path.Join(root.Container, "group")));
        Assert.Equal("0123456789ab\n", File.ReadAllText(Path.Join(root.Container, "hostname")));
        Assert.EndsWith("127.0.0.1\t0123456789ab name\n", File.ReadAllText(Path.Join(root.Container, "hosts")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_environment_starts_with_the_defaults_in_their_order()
    {
        using TestRoot root = TestRoot.WithAccounts("bob:x:1:1::/home/bob:\n");
        GeneratedSpec generated = Generate(
            root, new() { User = "bob", Env = ["X=1", "TERM=dumb", "EVIL"] }, None with { Env = ["X=2"] });
        Assert.Equal(
            [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", "container=oci",
                "HOME=/home/bob", "HOSTNAME=0123456789ab", "X=2",
            ],
            generated.Spec.Process!.Env);
        Assert.Single(generated.Warnings);
    }

    [Fact]
    public void The_images_working_directory_is_made_and_the_users_own_must_be_there()
    {
        using TestRoot root = new();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "giving a directory away needs root");
        Assert.Equal("/w/new", Generate(root, new() { WorkingDir = "/w/./new/", User = "7:8" }, None).Spec.Process!.Cwd);
        Assert.True(Directory.Exists(root.HostPath("/w/new")));

        ContainerSetupException e = Assert.Throws<ContainerSetupException>(
            () => Generate(root, new(), None with { WorkingDirectory = "/missing" }));
        Assert.Equal(($"workdir \"/missing\" does not exist on container {Id}", 126), (e.Message, e.ExitCode));

        root.Write("/file", "");
        e = Assert.Throws<ContainerSetupException>(() => Generate(root, new(), None with { WorkingDirectory = "/file" }));
        Assert.Equal($"workdir \"/file\" exists on container {Id}, but is not a directory", e.Message);
        Assert.Equal("/proc/self", Generate(root, new(), None with { WorkingDirectory = "/proc/self" }).Spec.Process!.Cwd);
    }

    [Theory]
    [InlineData("absolute")]
    [InlineData("relative")]
    [InlineData("dangling")]
    public void A_working_directory_or_volume_through_a_link_never_leaves_the_root(string kind)
    {
        using TestRoot root = new();
        File.CreateSymbolicLink(root.HostPath("/w"), kind switch
        {
            "absolute" => root.Canary,
            "relative" => "../../../../.." + root.Canary,
            _ => Path.Join(root.Canary, "new"),
        });
        Assert.Throws<ContainerSetupException>(() => Generate(root, new() { WorkingDir = "/w/new" }, None));
        Assert.Throws<ContainerSetupException>(
            () => Generate(root, new() { Volumes = new Dictionary<string, EmptyObject?> { ["/w/vol"] = null } }, None));
        Assert.Empty(Directory.GetFileSystemEntries(root.Canary));

        Directory.CreateDirectory(root.HostPath(root.Canary)); // the same path, inside
        if (kind != "dangling" && Environment.IsPrivilegedProcess)
        {
            Generate(root, new() { WorkingDir = "/w/new" }, None);
            Assert.True(Directory.Exists(root.HostPath(root.Canary + "/new")));
        }

        Assert.Empty(Directory.GetFileSystemEntries(root.Canary));
    }

    [Fact]
    public void A_volume_of_the_image_is_a_directory_of_the_containers_own_layer_or_memory_where_that_is_read_only()
    {
        using TestRoot root = new();
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "giving a directory away needs root");
        ExecutionConfig image = new()
        {
            Volumes = new Dictionary<string, EmptyObject?> { ["/var/data"] = null, ["relative"] = null },
        };
        GeneratedSpec generated = Generate(root, image, None);
        Assert.True(Directory.Exists(root.HostPath("/var/data")));
        Assert.DoesNotContain(generated.Spec.Mounts!, mount => mount.Destination == "/var/data");
        Assert.Equal(
            ["the image's volume is ignored: invalid container path \"relative\", must be an absolute path"],
            generated.Warnings);
        Assert.Contains(
            Generate(root, image, None with { ReadOnly = true }).Spec.Mounts!,
            mount => mount is { Destination: "/var/data", Type: "tmpfs" });
    }

    [Fact]
    public void A_mount_of_the_users_replaces_ours_and_keeps_our_files_out_of_the_hosts_directory()
    {
        using TestRoot root = new();
        IReadOnlyList<MountSpec> mounts = Generate(root, new(), None with
        {
            Volumes = [VolumeMount.Parse($"{root.Canary}:/etc"), VolumeMount.Parse($"{root.Canary}:/dev/shm")],
        }).Spec.Mounts!;
        Assert.DoesNotContain(mounts, mount => mount.Destination == "/etc/hosts");
        Assert.Equal("bind", Assert.Single(mounts, mount => mount.Destination == "/dev/shm").Type);
        Assert.Equal(mounts.OrderBy(mount => mount.Destination.Count(c => c == '/')), mounts);
    }

    [Fact]
    public void A_volume_whose_source_is_missing_and_two_at_one_place_are_errors()
    {
        using TestRoot root = new();
        Assert.Equal(
            "statfs /nonexistent/x: no such file or directory",
            Assert.Throws<OciException>(
                () => Generate(root, new(), None with { Volumes = [VolumeMount.Parse("/nonexistent/x:/x")] })).Message);
        Assert.Equal(
            "/x: duplicate mount destination",
            Assert.Throws<OciException>(() => Generate(root, new(), None with
            {
                Volumes = [VolumeMount.Parse($"{root.Canary}:/x")],
                Tmpfs = [TmpfsMount.Parse("/x")],
            })).Message);
    }

    [Fact]
    public void A_privileged_container_has_no_masks_and_no_filter()
    {
        using TestRoot root = new();
        GeneratedSpec generated = Generate(root, new(), None with { Privileged = true });
        Assert.Null(generated.Seccomp);
        Assert.Null(generated.Spec.Linux!.MaskedPaths);
        Assert.Null(generated.Spec.Linux.ReadonlyPaths);
        Assert.Equal([new DeviceRule(true) { Access = "rwm" }], generated.Spec.Linux.Resources!.Devices);
        Assert.Contains("rw", Assert.Single(generated.Spec.Mounts!, mount => mount.Destination == "/sys").Options!);
        Assert.DoesNotContain(generated.Spec.Linux.Devices!, device => device.Path is "/dev/null" or "/dev/console");
    }

    [Fact]
    public void On_the_hosts_network_a_container_has_the_hosts_name_and_no_namespace()
    {
        using TestRoot root = new();
        GeneratedSpec generated = Generate(root, new(), new() { AddHosts = ["foo:1.2.3.4"] });
        Assert.DoesNotContain(generated.Spec.Linux!.Namespaces!, item => item.Type == "network");
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/hostname").Trim(), generated.Spec.Hostname);
        Assert.StartsWith("1.2.3.4\tfoo\n", File.ReadAllText(Path.Join(root.Container, "hosts")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("foo", "bad format for add-host: \"foo\"")]
    [InlineData("foo:bar", "invalid IP address in add-host: \"bar\"")]
    public void A_host_entry_of_another_form_is_refused(string entry, string message)
    {
        using TestRoot root = new();
        Assert.Equal(
            message, Assert.Throws<OciException>(() => Generate(root, new(), None with { AddHosts = [entry] })).Message);
    }

    private static GeneratedSpec Generate(TestRoot root, ExecutionConfig config, RunOptions options) => SpecGenerator.Generate(
        Id,
        "name",
        new ImageConfig("amd64", "linux", new("layers", [])) { Config = config },
        options.Command.Count > 0 ? options : options with { Command = ["true"] },
        root.Root,
        root.Container);

    private static string Indent(RuntimeSpec spec)
    {
        using JsonDocument document = JsonDocument.Parse(
            RuntimeJson.ToBytes(spec, RuntimeJson.Write).ToArray());
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new() { Indented = true }))
        {
            document.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Golden(string name, string text, [CallerFilePath] string here = "")
    {
        string path = Path.Join(Path.GetDirectoryName(here), "Golden", name);
        if (Environment.GetEnvironmentVariable("OCI_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }
}
