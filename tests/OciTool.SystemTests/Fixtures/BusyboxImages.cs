using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Images made of Debian's busybox-static.</summary>
public sealed class BusyboxImages
{
    private const UnixFileMode Everybody = (UnixFileMode)0b001_111_111_111;
    private const string ProgramPath = "/bin/busybox";
    private static readonly string[] DefaultEnvironment =
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "FROM_IMAGE=yes"];

    private static readonly Lazy<byte[]> LazyProgram = new(() =>
    {
        Need.That(File.Exists(ProgramPath), "needs the package busybox-static");
        return File.ReadAllBytes(ProgramPath);
    });

    private readonly Lazy<Task<byte[]>> _foreignProgram = new(FetchForeignProgramAsync);
    private readonly Lazy<byte[]> _layer;

    public BusyboxImages() => _layer = new(() => Userland(Program).ToTar());

    /// <summary>The static program itself.</summary>
    public static byte[] Program => LazyProgram.Value;

    /// <summary>The configuration that all images here begin with.</summary>
    public static JsonObject Config => new()
    {
        ["Env"] = new JsonArray([.. DefaultEnvironment.Select(variable => (JsonNode)variable)]),
        ["Cmd"] = new JsonArray("sh"),
        ["Labels"] = new JsonObject { ["purpose"] = "test" },
    };

    /// <summary>The layer of the plain image, uncompressed.</summary>
    public byte[] PlainLayer => _layer.Value;

    /// <summary>One layer, one platform.</summary>
    public TestImage Plain => With(_ => { });

    /// <summary>amd64 and arm64, each with its own program.</summary>
    public async Task<TestImage> TwoArchitecturesAsync() =>
        TestImage.Index((Plain, "amd64", null), (await ForeignAsync(), "arm64", "v8"));

    /// <summary>The arm64 image alone.</summary>
    public async Task<TestImage> ForeignAsync() =>
        TestImage.Of(Config, "arm64", Userland(await _foreignProgram.Value).ToTar());

    /// <summary>amd64 as v1, v2 and v3, each of which tells its level in the file <c>/level</c>.</summary>
    public TestImage AmdLevels() => TestImage.Index(
        [.. new[] { "v1", "v2", "v3" }.Select(level => (With(new Layer().File("level", level)), "amd64", level))]);

    /// <summary>The plain image with another configuration.</summary>
    public TestImage With(Action<JsonObject> change)
    {
        JsonObject config = Config;
        change(config);
        return TestImage.Of(config, "amd64", _layer.Value);
    }

    /// <summary>The plain image with a layer on top.</summary>
    public TestImage With(Layer top, Action<JsonObject>? change = null)
    {
        JsonObject config = Config;
        change?.Invoke(config);
        return TestImage.Of(config, "amd64", _layer.Value, top.ToTar());
    }

    /// <summary>The plain image with incompressible layers on top, to have something to download.</summary>
    public TestImage WithRandomLayers(int count, int size)
    {
        Random random = new(Seed: count);
        byte[][] layers = [.. Enumerable.Range(0, count).Select(index =>
        {
            byte[] content = new byte[size];
            random.NextBytes(content);
            return new Layer().Directory("data").File($"data/{index}", content).ToTar();
        })];
        return TestImage.Of(Config, "amd64", [_layer.Value, .. layers]);
    }

    private static Layer Userland(byte[] program)
    {
        Layer layer = new Layer()
            .Directory("bin").Program("bin/busybox", program)
            .Directory("tmp", Everybody).Directory("root").Directory("home").Directory("home/guest", owner: 1000)
            .Directory("etc")
            .File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n")
            .File("etc/group", "root:x:0:\nwheel:x:10:guest\nguest:x:1000:\n")
            .File("etc/redhat-release", "Fedora release 34 (Thirty Four)\n")
            .File("etc/not-a-program", "#!/bin/sh\n");
        foreach (string applet in Applets)
        {
            layer.Symlink($"bin/{applet}", "busybox");
        }

        return layer;
    }

    private static async Task<byte[]> FetchForeignProgramAsync()
    {
        string cached = Path.Join(Machine.Cache, "busybox-arm64");
        if (!File.Exists(cached))
        {
            Need.Root();
            Need.Programs("apt-get", "dpkg-deb");
            using TemporaryDirectory directory = new();
            ProgramResult foreign = await Shell.RunAsync("dpkg", "--print-foreign-architectures");
            if (!foreign.Lines.Contains("arm64"))
            {
                (await Shell.RunAsync("dpkg", "--add-architecture", "arm64")).Succeeded();
                (await Shell.RunAsync("apt-get", "-q", "update")).Succeeded();
            }

            ProgramResult download = await Shell.RunAsync(
                "sh", "-c", "cd \"$0\" && apt-get -q download busybox-static:arm64 && dpkg-deb -x *.deb .", directory.Path);
            Need.That(download.Status == 0, $"needs Debian's archive for busybox-static:arm64: {download.Error}");
            Directory.CreateDirectory(Machine.Cache);
            string mine = $"{cached}.{Environment.ProcessId}";
            File.Copy(Path.Join(directory.Path, "bin/busybox"), mine, overwrite: true);
            File.Move(mine, cached, overwrite: true);
        }

        return await File.ReadAllBytesAsync(cached);
    }

    private static readonly string[] Applets =
    [
        "[", "cat", "chmod", "chown", "cp", "dd", "df", "echo", "env", "false", "find", "getopt", "grep", "head",
        "hostname", "id", "ip", "kill", "ln", "ls", "mkdir", "mknod", "mount", "ping", "ps", "pwd",
        "readlink", "rm", "sed", "sh", "sleep", "sort", "stat", "stty", "test", "touch", "tr", "true", "tty",
        "umount", "uname", "wc",
    ];
}
