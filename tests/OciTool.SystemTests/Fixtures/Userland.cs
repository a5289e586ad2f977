using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A whole Debian userland dressed as Fedora 34, with one entry of every odd kind, as an image of one layer.</summary>
/// <remarks>debootstrap needs a minute, so the finished layer stays in <see cref="Machine.Cache"/>.</remarks>
internal static class Userland
{
    private const string Dress = """
        set -e
        echo 'Fedora release 34 (Thirty Four)' > etc/redhat-release
        mkdir odd
        cd odd
        head -c 100000 /dev/urandom > plain && chmod 0640 plain && chown 12345:54321 plain
        ln plain second-name
        cp /bin/true setuid && chmod 6755 setuid
        mkdir sticky && chmod 1777 sticky
        cp /bin/true capable && setcap cap_net_raw+ep capable
        echo x > attributed && setfattr -n user.colour -v blue attributed
        setfattr -n user.on.directory -v yes sticky
        mknod character c 1 3 && mknod block b 7 0 && mkfifo fifo && chmod 0600 fifo
        ln -s /nowhere/at/all dangling
        printf 'latin' > "$(printf 'caf\351')"
        printf 'new\nline' > "$(printf 'new\nline')"
        long=$(printf 'n%.0s' $(seq 1 200)); mkdir -p "$long/$long" && echo deep > "$long/$long/file"
        echo old > old && touch -d '1969-12-31 23:59:58.25 UTC' old
        echo exact > exact && touch -d '2021-03-04 05:06:07.123456789 UTC' exact
        echo big > big-owner && chown 3000000000:3000000001 big-owner
        mkdir -m 0555 unwritable && echo in > unwritable/file && touch -d '2020-01-01 UTC' unwritable
        truncate -s 1000000 sparse
        """;

    public static string LayerTar => Path.Join(Machine.Cache, "userland.tar");

    public static async Task<TestImage> ImageAsync()
    {
        await BuildAsync();
        byte[] tar = await File.ReadAllBytesAsync(LayerTar);
        byte[] compressed = await File.ReadAllBytesAsync($"{LayerTar}.gz");
        JsonObject config = BusyboxImages.Config;
        config["Cmd"] = new JsonArray("bash");
        return TestImage.Of(config, "amd64", [(tar, compressed)]);
    }

    private static async Task BuildAsync()
    {
        if (File.Exists($"{LayerTar}.gz"))
        {
            return;
        }

        Need.Root();
        Need.Programs("debootstrap", "setcap", "setfattr", "tar", "gzip");
        Directory.CreateDirectory(Machine.Cache);
        using TemporaryDirectory work = new();
        string root = work["root"];
        ProgramResult bootstrap = await RunLongAsync("debootstrap", "--variant=minbase", "bookworm", root);
        Need.That(bootstrap.Status == 0, $"needs a Debian archive for debootstrap: {bootstrap}");
        (await Shell.RunAsync("sh", "-c", $"cd \"$0\"\n{Dress}", root)).Succeeded();
        // deleted: 150 MB of package lists that a real base image has not got either
        (await Shell.RunAsync("sh", "-c", "rm -rf \"$0\"/var/cache/apt/archives/*.deb \"$0\"/var/lib/apt/lists/*", root))
            .Succeeded();
        string tar = $"{LayerTar}.{Environment.ProcessId}";
        (await Shell.RunAsync(
            "tar", "--format=posix", "--numeric-owner", "--xattrs", "--xattrs-include=user.*",
            "--xattrs-include=security.capability", "--sort=name", "-C", root, "-cf", tar, ".")).Succeeded();
        (await Shell.RunAsync("gzip", "--keep", "--no-name", "-6", tar)).Succeeded();
        File.Move(tar, LayerTar, overwrite: true);
        File.Move($"{tar}.gz", $"{LayerTar}.gz", overwrite: true);
    }

    private static async Task<ProgramResult> RunLongAsync(string program, params string[] arguments)
    {
        using RunningProgram running = RunningProgram.Start(program, arguments);
        running.Input.Close();
        return await running.EndAsync(TimeSpan.FromMinutes(10));
    }
}
