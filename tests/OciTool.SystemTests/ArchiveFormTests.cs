using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>The forms in which archives and layouts lie about: links, compression, several ways to write a name, and what is none.</summary>
public sealed class ArchiveFormTests(Machine machine) : OciTest(machine)
{
    private const string RefName = "org.opencontainers.image.ref.name";
    private const string WholeName = "io.containerd.image.name";

    [Theory]
    [InlineData("text")]
    [InlineData("random")]
    [InlineData("empty")]
    [InlineData("short")]
    [InlineData("compressed text")]
    public async Task What_is_no_archive_at_all_is_told_in_podmans_words(string kind)
    {
        byte[] random = new byte[3000];
        new Random(Seed: 1).NextBytes(random);
        byte[] content = kind switch
        {
            "text" => await File.ReadAllBytesAsync("/etc/passwd", Cancellation),
            "random" => random,
            "empty" => [],
            "short" => "x"u8.ToArray(),
            _ => Layer.Gzip("no archive"u8.ToArray()),
        };
        await File.WriteAllBytesAsync(Oci["file"], content, Cancellation);

        ProgramResult load = await Oci.RunAsync("load", "-i", Oci["file"]);

        Failed(load, 125, Oci["file"]);
        Assert.StartsWith("Error: payload does not match any of the supported image formats:", load.Error, StringComparison.Ordinal);
        Failed(await Oci.RunAsync("pull", $"docker-archive:{Oci["file"]}"), 125, Oci["file"]);
    }

    [Fact]
    public async Task An_archive_of_something_else_is_told_by_what_it_lacks()
    {
        await File.WriteAllBytesAsync(Oci["file"], new Layer().File("a", "a").ToTar(), Cancellation);
        ProgramResult load = await Oci.RunAsync("load", "-i", Oci["file"]);
        Failed(load, 125, "has neither index.json .oci-archive. nor manifest.json or repositories .docker-archive.");
        Assert.StartsWith("Error: payload does not match any of the supported image formats:", load.Error, StringComparison.Ordinal);
        Failed(await Oci.RunAsync("pull", $"docker-archive:{Oci["file"]}"), 125, "it has neither manifest.json nor repositories");
    }

    [Theory]
    [InlineData("file")]
    [InlineData("symbolic link")]
    [InlineData("hard link")]
    [InlineData("two links")]
    [InlineData("directory link")]
    public Task The_layers_of_a_docker_archive_may_be_links(string kind) => LoadAsync(DockerArchive(kind).ToTar());

    [Theory]
    [InlineData("outside", "leaves the archive")]
    [InlineData("absolute", "leaves the archive")]
    [InlineData("loop", "is behind too many links")]
    [InlineData("directory loop", "is behind too many links")]
    [InlineData("dangling", "is missing")]
    public async Task A_link_that_leads_nowhere_is_refused(string kind, string cause)
    {
        await File.WriteAllBytesAsync(Oci["archive"], DockerArchive(kind).ToTar(), Cancellation);
        Failed(await Oci.RunAsync("load", "-i", Oci["archive"]), 125, cause);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public async Task A_docker_archive_may_be_compressed(string program)
    {
        Need.Programs(program);
        await File.WriteAllBytesAsync(Oci["plain"], DockerArchive("file").ToTar(), Cancellation);
        (await Shell.RunAsync("sh", "-c", "$0 -c <\"$1\" >\"$2\"", program, Oci["plain"], Oci["compressed"])).Succeeded();

        await LoadAsync(await File.ReadAllBytesAsync(Oci["compressed"], Cancellation));
        Assert.Equal(
            Machine.Images.Plain.Id, (await Oci.RunAsync("pull", "-q", $"docker-archive:{Oci["compressed"]}:localhost/app:1")).Succeeded().Output.Trim());
    }

    [Theory]
    [InlineData("blobs")]
    [InlineData("blobs/sha256")]
    [InlineData("a blob")]
    public async Task The_blobs_of_a_layout_may_be_elsewhere(string what)
    {
        Machine.Images.Plain.WriteLayout(Oci["layout"]);
        string moved = Path.Join(Oci["layout"], what == "a blob" ? $"blobs/sha256/{Machine.Images.Plain.Layer().Digest["sha256:".Length..]}" : what);
        string elsewhere = Path.Join(Oci["layout"], "elsewhere");
        Directory.Move(moved, elsewhere);
        File.CreateSymbolicLink(moved, Path.GetRelativePath(Path.GetDirectoryName(moved)!, elsewhere));
        (await Shell.RunAsync("tar", "-C", Oci["layout"], "-cf", Oci["layout.tar"], ".")).Succeeded();

        foreach (string place in (string[])[Oci["layout"], Oci["layout.tar"]])
        {
            (await Oci.RunAsync("load", "-q", "-i", place)).Succeeded();
            Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "localhost/image", "uname", "-m")).Succeeded().Output);
            (await Oci.RunAsync("rmi", "localhost/image")).Succeeded();
        }
    }

    [Fact]
    public async Task Each_way_to_write_a_name_into_a_layout_names_an_image()
    {
        TestImage[] images = [.. Enumerable.Range(0, 5).Select(i => Machine.Images.With(new Layer().File("number", $"{i}")))];
        (string? RefName, string? WholeName)[] names =
        [
            ("1.0", null), ("example.com/whole:2", null), ("3", "docker.io/library/third:3"), ("example.com/four:4", "example.com/four:4"), (null, "example.com/five:5"),
        ];
        WriteLayout(images, names);

        ProgramResult load = (await Oci.RunAsync("load", "-q", "-i", Oci["layout"])).Succeeded();

        string[] expected = ["localhost/1.0:latest", "example.com/whole:2", "docker.io/library/third:3", "example.com/four:4", "example.com/five:5"];
        Assert.Equal(expected.Select(name => $"Loaded image: {name}"), load.Lines);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(images[i].Id, (await Oci.RunAsync("image", "inspect", "--format", "{{.Id}}", expected[i])).Succeeded().Output.Trim());
        }

        await using Oci other = new();
        foreach ((string asked, int i) in ((string, int)[])[("1.0", 0), ("example.com/whole:2", 1), ("third:3", 2), ("example.com/five:5", 4)])
        {
            Assert.Equal(images[i].Id, (await other.RunAsync("pull", "-q", $"oci:{Oci["layout"]}:{asked}")).Succeeded().Output.Trim());
        }

        Failed(await other.RunAsync("pull", "-q", $"oci:{Oci["layout"]}"), 125, "more than one image in it, choose an image: it has 1.0, example.com/whole:2, docker.io/library/third:3");
    }

    // what docker save writes since version 25: a layout, and beside it what older readers look for
    [Fact]
    public async Task The_layout_that_docker_25_saves_keeps_all_names()
    {
        TestImage one = Machine.Images.Plain;
        TestImage two = Machine.Images.With(new Layer().File("two", "2"));
        WriteLayout([one, one, two, two], [("1", "docker.io/library/app:1"), ("latest", "docker.io/library/app:latest"), ("2", "example.com/team/app:2"), (null, null)]);
        JsonArray manifest = [];
        foreach ((TestImage image, string[] tags) in ((TestImage, string[])[])[(one, ["app:1", "app:latest"]), (two, ["example.com/team/app:2"])])
        {
            manifest.Add((JsonNode)new JsonObject
            {
                ["Config"] = $"blobs/sha256/{image.Id}",
                ["RepoTags"] = new JsonArray([.. tags.Select(JsonNode (tag) => tag)]),
                ["Layers"] = new JsonArray([.. image.Blobs.Skip(1).Select(JsonNode (blob) => $"blobs/sha256/{blob.Digest["sha256:".Length..]}")]),
            });
        }

        await File.WriteAllTextAsync(Path.Join(Oci["layout"], "manifest.json"), manifest.ToJsonString(), Cancellation);
        await File.WriteAllTextAsync(Path.Join(Oci["layout"], "repositories"), "{}", Cancellation);
        (await Shell.RunAsync("tar", "-C", Oci["layout"], "-cf", Oci["layout.tar"], "blobs", "index.json", "manifest.json", "oci-layout", "repositories")).Succeeded();
        string[] expected = ["docker.io/library/app:1", "docker.io/library/app:latest", "example.com/team/app:2"];

        ProgramResult load = (await Oci.RunAsync("load", "-q", "-i", Oci["layout.tar"])).Succeeded();

        Assert.Equal(expected.Select(name => $"Loaded image: {name}"), load.Lines);
        await using Oci other = new();
        Assert.Equal(two.Id, (await other.RunAsync("pull", "-q", $"docker-archive:{Oci["layout.tar"]}:example.com/team/app:2")).Succeeded().Output.Trim());
    }

    private async Task LoadAsync(byte[] archive)
    {
        await File.WriteAllBytesAsync(Oci["archive"], archive, Cancellation);
        ProgramResult load = (await Oci.RunAsync("load", "-q", "-i", Oci["archive"])).Succeeded();
        Assert.Equal("Loaded image: localhost/app:1\n", load.Output);
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "localhost/app:1", "uname", "-m")).Succeeded().Output);
    }

    private Layer DockerArchive(string kind)
    {
        TestImage image = Machine.Images.Plain;
        byte[] tar = Machine.Images.PlainLayer;
        string real = $"{image.DiffId()}.tar";
        JsonObject entry = new()
        {
            ["Config"] = $"{image.Id}.json",
            ["RepoTags"] = new JsonArray("localhost/app:1"),
            ["Layers"] = new JsonArray("one/layer.tar"),
        };
        Layer archive = new Layer().File($"{image.Id}.json", image.Blobs[0].Content).File("manifest.json", new JsonArray(entry).ToJsonString());
        return kind switch
        {
            "symbolic link" => archive.Directory("one").Symlink("one/layer.tar", $"../{real}").File(real, tar),
            "hard link" => archive.File(real, tar).Directory("one").HardLink("one/layer.tar", real),
            "two links" => archive.Directory("one").Symlink("one/layer.tar", "../two").Symlink("two", real).File(real, tar),
            "directory link" => archive.Directory("real").File("real/layer.tar", tar).Symlink("one", "real"),
            "outside" => archive.Directory("one").Symlink("one/layer.tar", "../../x"),
            "absolute" => archive.Directory("one").Symlink("one/layer.tar", "/etc/passwd"),
            "loop" => archive.Symlink("one/layer.tar", "../two").Symlink("two", "one/layer.tar"),
            "directory loop" => archive.Symlink("one", "two").Symlink("two", "one"),
            "dangling" => archive.Symlink("one/layer.tar", "../nothing"),
            _ => archive.Directory("one").File("one/layer.tar", tar),
        };
    }

    private void WriteLayout(TestImage[] images, (string? RefName, string? WholeName)[] names)
    {
        JsonArray entries = [];
        foreach ((TestImage image, (string? refName, string? wholeName)) in images.Zip(names))
        {
            image.WriteLayout(Oci["layout"]);
            JsonObject entry = new() { ["mediaType"] = image.Document.MediaType, ["digest"] = image.Document.Digest, ["size"] = image.Document.Content.Length };
            (string, string?)[] annotations = [(RefName, refName), (WholeName, wholeName)];
            foreach ((string key, string? name) in annotations.Where(annotation => annotation.Item2 is not null))
            {
                entry["annotations"] ??= new JsonObject();
                entry["annotations"]![key] = name;
            }

            entries.Add((JsonNode)entry);
        }

        JsonObject index = new() { ["schemaVersion"] = 2, ["manifests"] = entries };
        File.WriteAllText(Path.Join(Oci["layout"], "index.json"), index.ToJsonString());
    }
}
