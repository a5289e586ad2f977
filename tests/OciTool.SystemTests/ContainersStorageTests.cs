using System.Text.Json;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>podman's store, read in place and written through skopeo: every layer is the same bytes, and the ID stays.</summary>
public sealed class ContainersStorageTests(Machine machine) : OciTest(machine)
{
    // what a tree can have: links, devices, holes, attributes, names that are long or no UTF-8, and then whiteouts above
    private const string MakeTree = """
        set -e
        mkdir -p tree/d tree/gone/below tree/opaque && cd tree
        echo hello > d/a; ln d/a d/b; : > empty; ln -s ../d/a d/link; ln -s /d absolute
        truncate -s 3M sparse; head -c 700001 /dev/urandom > random
        mknod null c 1 3; mknod disk b 8 1; mkfifo fifo
        n=$(printf 'n%.0s' $(seq 200)); mkdir -p $n/$n; echo long > $n/$n/$n
        setfattr -n user.x -v y d/a; chmod 6755 random; chown 1000:2000 sparse
        printf x > "$(printf 'latin1-\351')"; printf y > "$(printf 'new\nline')"; printf z > 'quote"\<>&'
        echo 1 > gone/below/x; echo 1 > opaque/x
        cd .. && tar --xattrs --xattrs-include='user.*' -C tree -cf tree.tar .
        """;

    private const string Change = """
        set -e
        cd "$0"; rm random; rm -r gone opaque; mkdir opaque; echo 2 > opaque/y; echo two > d/a; mkdir new; echo x > new/x
        """;

    [Theory]
    [InlineData("overlay")]
    [InlineData("vfs")]
    public async Task An_image_that_was_built_there_has_the_same_digests_here(string driver)
    {
        await using Podman podman = new(driver);
        string id = await BuildAsync(podman);

        (await Oci.RunAsync("copy", $"containers-storage:{podman.Store}localhost/two:1", $"oci:{Oci["layout"]}:x")).Succeeded();

        using JsonDocument index = await ReadAsync(Path.Join(Oci["layout"], "index.json"));
        string digest = index.RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        Assert.Equal((await podman.RunAsync("image", "inspect", "--format", "{{.Digest}}", id)).Succeeded().Output.Trim(), digest);
        using JsonDocument manifest = await ReadAsync(BlobOf(digest));
        Assert.Equal(id, manifest.RootElement.GetProperty("config").GetProperty("digest").GetString()!["sha256:".Length..]);
        using JsonDocument config = await ReadAsync(BlobOf($"sha256:{id}"));
        string[] diffIds = Strings(config.RootElement.GetProperty("rootfs").GetProperty("diff_ids"));
        string[] layers = [.. manifest.RootElement.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("digest").GetString()!)];
        Assert.Equal(2, layers.Length);
        Assert.Equal(diffIds, layers);
        foreach (string layer in layers)
        {
            string sum = (await Shell.RunAsync("sha256sum", BlobOf(layer))).Succeeded().Output;
            Assert.StartsWith(layer["sha256:".Length..], sum, StringComparison.Ordinal);
        }

        // the first layer is the archive that was imported, to the byte
        (await Shell.RunAsync("cmp", BlobOf(layers[0]), podman["tree.tar"])).Succeeded();
    }

    [Theory]
    [InlineData("overlay", "oci")]
    [InlineData("vfs", "v2s2")]
    public async Task An_image_that_was_pulled_there_is_what_skopeo_reads_and_runs_here(string driver, string format)
    {
        Need.Programs("skopeo");
        string image = await Machine.PublishAsync($"storage-{format}", Machine.Images.Plain);
        if (format == "v2s2")
        {
            string other = $"{await Machine.HostAsync()}/storage-v2s2:converted";
            (await Shell.RunAsync("skopeo", "copy", "-q", "--format", format, "--src-tls-verify=false", "--dest-tls-verify=false", $"docker://{image}", $"docker://{other}")).Succeeded();
            image = other;
        }

        await using Podman podman = new(driver);
        await podman.PullAsync(image);
        string source = $"containers-storage:{podman.Store}{image}";
        (await Shell.RunAsync("skopeo", "copy", "-q", "--insecure-policy", source, $"dir:{Oci["skopeo"]}")).Succeeded();

        (await Oci.RunAsync("copy", source, $"dir:{Oci["oci"]}")).Succeeded();
        ProgramResult pull = (await Oci.RunAsync("pull", "-q", source)).Succeeded();

        Assert.Equal((await podman.RunAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded().Output, pull.Output);
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--pull", "never", "--network", "none", image, "uname", "-m")).Succeeded().Output);
        using JsonDocument theirs = await ReadAsync(Path.Join(Oci["skopeo"], "manifest.json"));
        using JsonDocument ours = await ReadAsync(Path.Join(Oci["oci"], "manifest.json"));
        Assert.Equal(ContentOf(theirs), ContentOf(ours));
    }

    [Theory]
    [InlineData("overlay", "oci")]
    [InlineData("overlay", "v2s2")]
    [InlineData("vfs", "oci")]
    public async Task What_is_pushed_there_runs_and_has_its_digest(string driver, string format)
    {
        Need.Programs("skopeo");
        string image = await Oci.PullAsync(await Machine.PublishAsync("storage-oci", Machine.Images.Plain));
        await using Podman podman = new(driver);

        Directory.CreateDirectory(Oci["tmp"]);
        (await Oci.RunAsync(
            [("TMPDIR", Oci["tmp"])], null,
            "push", "-q", "--format", format, "--digestfile", Oci["digest"], image, $"containers-storage:{podman.Store}localhost/pushed:1")).Succeeded();

        Assert.Equal(
            await File.ReadAllTextAsync(Oci["digest"], Cancellation),
            (await podman.RunAsync("image", "inspect", "--format", "{{.Digest}}", "localhost/pushed:1")).Succeeded().Output.Trim());
        Assert.Equal("x86_64\n", (await podman.RunAsync("run", "--rm", "--network", "none", "localhost/pushed:1", "uname", "-m")).Succeeded().Output);
        Assert.Empty(Directory.GetFileSystemEntries(Oci["tmp"]));
    }

    [Fact]
    public async Task The_store_of_storage_conf_is_read_where_none_is_named_and_what_it_lacks_is_an_error()
    {
        await using Podman podman = new();
        string id = await BuildAsync(podman);
        await File.WriteAllTextAsync(Oci["storage.conf"], $"[storage]\ndriver = \"overlay\"\ngraphroot = \"{podman["root"]}\"\n", Cancellation);
        (string, string?)[] environment = [("CONTAINERS_STORAGE_CONF", Oci["storage.conf"])];

        (await Oci.RunAsync(environment, null, "copy", "containers-storage:two:1", $"oci-archive:{Oci["archive"]}")).Succeeded();
        (await Oci.RunAsync(environment, null, "copy", $"containers-storage:{id[..12]}", $"dir:{Oci["byid"]}")).Succeeded();

        Failed(await Oci.RunAsync(environment, null, "copy", "containers-storage:three", $"dir:{Oci["none"]}"), 125, "no image 'three'", "localhost/two:1");
        Failed(await Oci.RunAsync("copy", $"containers-storage:[overlay@{Oci["nowhere"]}]two", $"dir:{Oci["none"]}"), 125, "nowhere.*not there");
    }

    [Fact]
    public async Task A_file_that_was_changed_behind_the_stores_back_is_named()
    {
        await using Podman podman = new();
        await BuildAsync(podman);
        string changed = (await Shell.RunAsync("find", podman["root/overlay"], "-path", "*/diff/random", "-type", "f")).Succeeded().Lines[0];
        await using (FileStream file = new(changed, FileMode.Open, FileAccess.ReadWrite))
        {
            int first = file.ReadByte();
            file.Position = 0;
            file.WriteByte((byte)~first);
        }

        Failed(
            await Oci.RunAsync("pull", $"containers-storage:{podman.Store}localhost/two:1"),
            125, "image '?localhost/two:1", "random", "another one than was unpacked");
        await StillWorksAsync();
    }

    [Fact]
    public async Task Without_skopeo_nothing_is_written_and_the_way_out_is_told()
    {
        string image = await Oci.PullAsync(await Machine.PublishAsync("storage-oci", Machine.Images.Plain));

        ProgramResult push = await Oci.RunAsync([("PATH", "/nonexistent")], null, "push", image, $"containers-storage:[vfs@{Oci["store"]}+{Oci["run"]}]localhost/x:1");

        Failed(push, 125, "needs skopeo");
        Assert.Contains("podman load", push.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Oci["store"]));
    }

    private static async Task<string> BuildAsync(Podman podman)
    {
        Need.Programs("tar", "setfattr");
        (await Shell.RunAsync("sh", "-c", $"cd \"$0\"; {MakeTree}", Path.GetDirectoryName(podman["x"])!)).Succeeded();
        (await podman.RunAsync("import", "-q", podman["tree.tar"], "localhost/one:1")).Succeeded();
        string container = (await podman.RunAsync("create", "localhost/one:1", "sh")).Succeeded().Lines[^1];
        string mount = (await podman.RunAsync("mount", container)).Succeeded().Lines[^1];
        (await Shell.RunAsync("sh", "-c", Change, mount)).Succeeded();
        (await podman.RunAsync("umount", container)).Succeeded();
        string id = (await podman.RunAsync("commit", "-q", container, "localhost/two:1")).Succeeded().Lines[^1];
        (await podman.RunAsync("rm", container)).Succeeded();
        return id;
    }

    private static async Task<JsonDocument> ReadAsync(string path) => JsonDocument.Parse(await File.ReadAllBytesAsync(path, Cancellation));

    // not the layers' types: skopeo of Debian 12 calls them compressed, which they are not
    private static string[] ContentOf(JsonDocument manifest) =>
        [.. manifest.RootElement.GetProperty("layers").EnumerateArray().Prepend(manifest.RootElement.GetProperty("config"))
            .Select(blob => $"{blob.GetProperty("digest").GetString()} {blob.GetProperty("size").GetInt64()}")];

    private static string[] Strings(JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetString()!)];

    private string BlobOf(string digest) => Path.Join(Oci["layout"], "blobs/sha256", digest["sha256:".Length..]);
}
