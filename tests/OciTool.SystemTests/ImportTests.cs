using System.IO.Compression;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>import: an archive becomes an image of one layer.</summary>
public sealed class ImportTests(Machine machine) : OciTest(machine)
{
    [Fact]
    public async Task An_archive_becomes_an_image_that_runs()
    {
        string archive = await ArchiveAsync();

        ProgramResult import = (await Oci.RunAsync(
            "import", "-q", "--change", "CMD [\"sh\",\"-c\",\"echo $A $(pwd)\"]", "--change", "ENV A=b", "--change", "WORKDIR /etc", "-m", "by hand", archive, "made")).Succeeded();

        Assert.Matches("^sha256:[0-9a-f]{64}\n$", import.Output);
        Assert.Equal("", import.Error);
        Assert.Equal("b /etc\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "localhost/made")).Succeeded().Output);
        Assert.Equal("by hand\n", (await Oci.RunAsync("history", "--format", "{{.Comment}}", "made")).Succeeded().Output);
        Assert.Equal(import.Output, (await Oci.RunAsync("images", "-q", "--no-trunc", "made")).Succeeded().Output);
        await Oci.BlobsAreWholeAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public async Task However_it_is_compressed_the_image_is_the_same(string program)
    {
        Need.Programs(program);
        string archive = await ArchiveAsync();
        (string, string?)[] date = [("SOURCE_DATE_EPOCH", "1700000000")];
        string expected = (await Oci.RunAsync(date, null, "import", "-q", archive)).Succeeded().Output;

        (await Shell.RunAsync("sh", "-c", "\"$1\" -c < \"$2\" > \"$3\"", "sh", program, archive, Oci["compressed"])).Succeeded();

        Assert.Equal(expected, (await Oci.RunAsync(date, null, "import", "-q", Oci["compressed"])).Succeeded().Output);
        Assert.Equal("<none>\n", (await Oci.RunAsync("images", "--format", "{{.Repository}}")).Succeeded().Output);
    }

    [Fact]
    public async Task Standard_input_and_a_URL_are_read_too()
    {
        byte[] content = await File.ReadAllBytesAsync(await ArchiveAsync(), Cancellation);
        await File.WriteAllBytesAsync(Oci["piped.tar"], content, Cancellation);
        await using LoopbackServer server = await LoopbackServer.StartAsync(async context =>
        {
            context.Response.StatusCode = context.Request.Path == "/root.tar" ? 200 : 404;
            await context.Response.Body.WriteAsync(context.Request.Path == "/root.tar" ? content : [], context.RequestAborted);
        });

        ProgramResult piped = await Shell.RunAsync(
            "sh", "-c", "file=$1; shift; exec \"$@\" < \"$file\"", "sh", Oci["piped.tar"], Fixtures.Oci.Binary, "--root", Oci.Root, "--runroot", Oci["runroot"], "import", "-q", "-", "piped");
        ProgramResult loaded = await Oci.RunAsync("import", "-q", $"http://{server.Host}/root.tar", "loaded");

        piped.Succeeded();
        loaded.Succeeded();
        foreach (string image in (string[])["piped", "loaded"])
        {
            Assert.Equal("hi\n", (await Oci.RunAsync("run", "--rm", "--network", "none", image, "echo", "hi")).Succeeded().Output);
        }

        Failed(await Oci.RunAsync("import", "-q", $"http://{server.Host}/nosuch"), 125, "status 404");
        Failed(await Oci.RunAsync("import", "-q", "http://127.0.0.1:1/x"), 125, "downloading http://127.0.0.1:1/x: .*refused");
        Failed(await Oci.RunAsync([("OCI_OFFLINE", "1")], null, "import", "-q", $"http://{server.Host}/root.tar"), 125, "OCI_OFFLINE");
    }

    [Fact]
    public async Task What_podman_exported_is_imported_and_what_we_exported_podman_imports()
    {
        await using Podman podman = new();
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        await podman.PullAsync(image);
        string[] command = ["sh", "-c", "rm /etc/group; echo x > /new; mkdir /d; ln /new /d/new"];
        (await podman.RunAsync(["run", "--name", "theirs", "--network", "none", image, .. command])).Succeeded();
        (await Oci.RunAsync(["run", "--name", "ours", "--network", "none", image, .. command])).Succeeded();
        (await podman.RunAsync("export", "-o", podman["theirs.tar"], "theirs")).Succeeded();
        (await Oci.RunAsync("export", "-o", Oci["ours.tar"], "ours")).Succeeded();

        (await Oci.RunAsync("import", "-q", podman["theirs.tar"], "theirs")).Succeeded();
        (await podman.RunAsync("import", "-q", Oci["ours.tar"], "localhost/ours:latest")).Succeeded();

        string[] look = ["sh", "-c", "cat /d/new; stat -c '%h %a %u' /new; ls /etc /home /d; test ! -e /etc/group"];
        string here = (await Oci.RunAsync(["run", "--rm", "--network", "none", "theirs", .. look])).Succeeded().Output;
        string there = (await podman.RunAsync(["run", "--rm", "--network", "none", "localhost/ours:latest", .. look])).Succeeded().Output;
        Assert.StartsWith("x\n2 644 0\n", here, StringComparison.Ordinal);
        Assert.Equal(here.Replace("mtab\n", "", StringComparison.Ordinal), there.Replace("mtab\n", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_no_archive_is_refused_and_leaves_no_image()
    {
        string archive = await ArchiveAsync();
        await File.WriteAllTextAsync(Oci["text"], "this is no archive\n", Cancellation);
        await File.WriteAllTextAsync(Oci["empty"], "", Cancellation);
        byte[] whole = await File.ReadAllBytesAsync(archive, Cancellation);
        await File.WriteAllBytesAsync(Oci["cut"], whole[..(whole.Length / 2)], Cancellation);
        await using (FileStream cut = File.Create(Oci["cut.gz"]))
        {
            using MemoryStream compressed = new();
            await using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
            {
                await gzip.WriteAsync(whole, Cancellation);
            }

            await cut.WriteAsync(compressed.ToArray().AsMemory(0, (int)compressed.Length / 2), Cancellation);
        }

        foreach (string name in (string[])["text", "empty", "cut", "cut.gz"])
        {
            Failed(await Oci.RunAsync("import", "-q", Oci[name], "bad"), 125);
        }

        await File.WriteAllBytesAsync(Oci["bad.xz"], [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, 1, 2, 3, 4, 5, 6, 7, 8], Cancellation);
        await File.WriteAllBytesAsync(Oci["bad.bz2"], [(byte)'B', (byte)'Z', (byte)'h', (byte)'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 1, 2, 3], Cancellation);
        Failed(await Oci.RunAsync("import", "-q", Oci["bad.xz"]), 125);
        Failed(await Oci.RunAsync("import", "-q", Oci["bad.bz2"]), 125);
        Failed(await Oci.RunAsync("import", "-q", Oci["nosuch"]), 125, "error opening .*: no such file or directory");
        Failed(await Oci.RunAsync("import", "-q", "--change", "FOO bar", archive), 125, "invalid change \"FOO bar\" - invalid instruction FOO");
        Failed(await Oci.RunAsync("import", "-q", archive, "UPPER"), 125, "lower case");
        Failed(await Oci.RunAsync("import"), 125, "accepts between 1 and 2 arg.s., received 0");
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        string temporary = Path.Join(Oci.Root, "tmp");
        Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
    }

    [Fact]
    public async Task A_full_disk_is_said_and_costs_nothing_else()
    {
        string archive = await ArchiveAsync();
        string disk = Oci["disk"];
        Directory.CreateDirectory(disk);
        (await Shell.RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "none", disk)).Succeeded();
        try
        {
            Failed(await Shell.RunAsync(Fixtures.Oci.Binary, "--root", $"{disk}/root", "--runroot", Oci["runroot"], "import", "-q", archive), 125, "no space|no room|disk");
            Assert.Empty(Directory.EnumerateFiles($"{disk}/root/tmp", "layer*", SearchOption.AllDirectories));
        }
        finally
        {
            (await Shell.RunAsync("umount", disk)).Succeeded();
        }
    }

    private async Task<string> ArchiveAsync()
    {
        string path = Oci["root.tar"];
        await File.WriteAllBytesAsync(path, Machine.Images.PlainLayer, Cancellation);
        return path;
    }
}
