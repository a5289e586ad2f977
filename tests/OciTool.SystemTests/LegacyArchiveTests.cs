using System.Text;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What docker saved before version 1.10: no manifest, only layers that know their parents.</summary>
public sealed class LegacyArchiveTests(Machine machine) : OciTest(machine)
{
    private static byte[] Top => new Layer().File("top", "top\n").ToTar();

    // what docker 1.9 wrote is kept as it is written, what older ones wrote is written anew, and so is what tools wrote that name no docker
    public static TheoryData<string, string> Jsons() => new()
    {
        { "1.9.1", """
            { "id":"ID", "parent":"PARENT", "created":"2015-10-31T22:22:55.613815829Z", "container":"c0ffee",
              "container_config":{"Hostname":"h","Cmd":["/bin/sh","-c","#(nop) CMD [\"sh\"] \u0026 <x> \u00fc"],"Image":"PARENT"},
              "docker_version":"1.9.1", "author":"Jérôme <j@example.com> & \u4e2d𝄞", "comment":"a\tb\u0007",
              "config":{"Env":["PATH=/bin","A=<&>\u2028"],"Cmd":["sh"],"Labels":{"z":"1","a":"2"}}, "architecture":"amd64", "os":"linux",
              "Size":1234, "throwaway":true, "layer_id":"sha256:1", "custom" : { "b" : 1.50 , "a" : [ ] , "c":null } }
            """ },
        { "1.7.0", """
            { "id":"ID", "parent":"PARENT", "created":"2014-02-03T04:05:06.120000+02:00", "container":"c0ffee",
              "container_config":{"Hostname":"h","Cmd":["/bin/sh","-c","touch /<x> && true"],"Image":"PARENT","Memory":0,"PortSpecs":null},
              "docker_version":"1.7.0", "author":"Jérôme <j@example.com>", "unknown":1,
              "config":{"Hostname":"h","Domainname":"d","User":"","Memory":1,"AttachStdin":true,"ExposedPorts":{"80/tcp":{},"443/tcp":{}},"Tty":true,
                "Env":["PATH=/bin","A=<&>"],"Cmd":["sh"],"Image":"PARENT","Volumes":{"/b":{},"/a":{}},"WorkingDir":"/","Entrypoint":null,
                "NetworkDisabled":true,"MacAddress":"02:42:00:00:00:01","OnBuild":[],"Labels":{"z":"1","a":"<"}},
              "architecture":"amd64", "os":"linux", "Size":5 }
            """ },
        { "no docker", """
            { "id":"ID", "parent":"PARENT", "created":"2020-02-03T04:05:06+00:00", "comment":"made by a tool",
              "config":{"Cmd":"sh","Env":["PATH=/bin"],"Healthcheck":{"Test":["CMD","true"],"Interval":1000000000,"Retries":0},"StopSignal":"TERM","StopTimeout":3,
                "ExposedPorts":{},"Shell":["sh","-c"]},
              "architecture":"amd64", "os":"linux" }
            """ },
        { "1.8.2", """{"id":"ID","parent":"PARENT","created":"2015-01-01T00:00:00Z","docker_version":"1.8.2","architecture":"amd64","os":"linux","config":{"Cmd":["sh"]}}""" },
        { "1.8.3", """{"id":"ID","parent":"PARENT","created":"2015-01-01T00:00:00.000Z","docker_version":"1.8.3","architecture":"amd64","os":"linux","config":{"Cmd":["sh"]}}""" },
        { "nothing else", """{"id":"ID","parent":"PARENT","architecture":"amd64","os":"linux","config":null,"container_config":null}""" },
    };

    [Fact]
    public async Task The_ID_is_the_one_that_docker_computes()
    {
        await using Dockerd docker = await Dockerd.StartAsync();
        foreach ((string what, string json) in Jsons().Select(row => row.Data))
        {
            LegacyLayer bottom = LegacyLayer.Of('0', parent: null, Machine.Images.PlainLayer);
            string id = LegacyLayer.IdOf('1');
            LegacyLayer top = new(id, json.Replace("\"ID\"", $"\"{id}\"", StringComparison.Ordinal).Replace("PARENT", bottom.Id, StringComparison.Ordinal), Top);
            string archive = Oci["archive"];
            await File.WriteAllBytesAsync(archive, LegacyLayer.Archive([("example.com/old", "1", id)], top, bottom).ToTar(), Cancellation);

            await docker.DockerAsync("load", "-q", "-i", archive);
            string theirs = (await docker.DockerAsync("image", "inspect", "--format", "{{.Id}}", "example.com/old:1")).Output;
            ProgramResult load = (await Oci.RunAsync("load", "-q", "-i", archive)).Succeeded();

            Assert.Equal("Loaded image: example.com/old:1\n", load.Output);
            string ours = (await Oci.RunAsync("image", "inspect", "--format", "sha256:{{.Id}}", "example.com/old:1")).Succeeded().Output;
            Assert.True(theirs == ours, $"{what}: docker has {theirs} and we have {ours}: {await ConfigAsync(ours)}");
            Assert.Equal("top\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "example.com/old:1", "/bin/cat", "/top")).Succeeded().Output);
        }
    }

    [Fact]
    public async Task What_docker_saves_is_the_same_image_without_its_manifest()
    {
        Need.Programs("tar", "skopeo");
        Machine.Images.With(new Layer().File("top", "top\n")).WriteLayout(Oci["layout"]);
        (await Shell.RunAsync("skopeo", "copy", "-q", $"oci:{Oci["layout"]}:image", $"docker-archive:{Oci["first"]}:example.com/app:1")).Succeeded();
        await using Dockerd docker = await Dockerd.StartAsync();
        await docker.DockerAsync("load", "-q", "-i", Oci["first"]);
        await docker.DockerAsync("tag", "example.com/app:1", "example.com/app:2");
        await docker.DockerAsync("save", "-o", Oci["saved"], "example.com/app:1", "example.com/app:2");
        await WithoutManifestAsync(Oci["saved"]);
        await docker.DockerAsync("rmi", "example.com/app:1", "example.com/app:2");
        await docker.DockerAsync("load", "-q", "-i", Oci["saved"]);

        ProgramResult load = (await Oci.RunAsync("load", "-q", "-i", Oci["saved"])).Succeeded();

        Assert.Equal(["Loaded image: example.com/app:1", "Loaded image: example.com/app:2"], load.Lines.Order());
        Assert.Equal(
            (await docker.DockerAsync("image", "inspect", "--format", "{{.Id}}", "example.com/app:1")).Output,
            (await Oci.RunAsync("image", "inspect", "--format", "sha256:{{.Id}}", "example.com/app:2")).Succeeded().Output);
        Assert.Equal("top\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "example.com/app:1", "cat", "/top")).Succeeded().Output);
    }

    [Fact]
    public async Task What_we_save_has_no_links_and_is_an_image_for_importers_that_know_repositories_alone()
    {
        Need.Programs("tar");
        string image = await Oci.PullAsync(await Machine.PublishAsync("legacy-ours", Machine.Images.With(new Layer().File("top", "top\n"))));
        (await Oci.RunAsync("save", "-q", "-o", Oci["saved"], image)).Succeeded();
        string[] entries = (await Shell.RunAsync("tar", "-tvf", Oci["saved"])).Succeeded().Lines;
        await WithoutManifestAsync(Oci["saved"]);
        await using Oci other = new();

        ProgramResult load = (await other.RunAsync("load", "-q", "-i", Oci["saved"])).Succeeded();

        Assert.DoesNotContain(entries, entry => entry[0] is 'l' or 'h');
        Assert.Equal(2, entries.Count(entry => entry.EndsWith("/layer.tar", StringComparison.Ordinal)));
        Assert.Equal([$"Loaded image: {image}"], load.Lines);
        Assert.Equal("top\n", (await other.RunAsync("run", "--rm", "--network", "none", image, "cat", "/top")).Succeeded().Output);
    }

    [Fact]
    public async Task The_layers_of_podmans_archive_are_found_behind_its_links()
    {
        Need.Programs("tar");
        string image = await Machine.PublishAsync("legacy-podman", Machine.Images.With(new Layer().File("top", "top\n")));
        await using Podman podman = new();
        await podman.PullAsync(image);
        (await podman.RunAsync("save", "-q", "-o", podman["saved"], image)).Succeeded();
        Assert.Contains(" -> ../", (await Shell.RunAsync("tar", "-tvf", podman["saved"])).Succeeded().Output, StringComparison.Ordinal);
        await WithoutManifestAsync(podman["saved"]);

        (await Oci.RunAsync("load", "-q", "-i", podman["saved"])).Succeeded();

        Assert.Equal("top\n", (await Oci.RunAsync("run", "--rm", "--network", "none", image, "cat", "/top")).Succeeded().Output);
    }

    [Fact]
    public async Task Several_images_and_names_come_in_and_the_same_archive_gives_the_same_IDs()
    {
        LegacyLayer bottom = LegacyLayer.Of('0', parent: null, Machine.Images.PlainLayer);
        LegacyLayer one = LegacyLayer.Of('1', bottom.Id, Top);
        LegacyLayer two = LegacyLayer.Of('2', bottom.Id, new Layer().File("two", "2").ToTar());
        byte[] archive = LegacyLayer.Archive([("a", "1", one.Id), ("a", "2", one.Id), ("example.com/b", "1", two.Id), ("base", "0", bottom.Id)], one, two, bottom).ToTar();
        await File.WriteAllBytesAsync(Oci["archive"], archive, Cancellation);

        string first = (await Oci.RunAsync("load", "-q", "-i", Oci["archive"])).Succeeded().Output;
        string images = (await Oci.RunAsync("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}", "--sort", "repository")).Succeeded().Output;
        (await Oci.RunAsync("rmi", "--all", "--force")).Succeeded();
        await File.WriteAllBytesAsync(Oci["archive.gz"], Layer.Gzip(archive), Cancellation);
        (await Oci.RunAsync("load", "-q", "-i", Oci["archive.gz"])).Succeeded();

        Assert.Equal(4, first.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(4, images.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(
            images, (await Oci.RunAsync("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}", "--sort", "repository")).Succeeded().Output);
        await using Oci other = new();
        string id = (await other.RunAsync("pull", "-q", $"docker-archive:{Oci["archive"]}:example.com/b:1")).Succeeded().Output.Trim();
        Assert.Contains($"{id} example.com/b:1", images, StringComparison.Ordinal);
        Assert.Equal("layer 0\nlayer 2\n", string.Concat((await other.RunAsync("history", "--format", "{{.CreatedBy}}", id)).Succeeded().Lines.Reverse()
            .Select(line => line["/bin/sh -c ".Length..] + "\n")));
    }

    [Fact]
    public async Task A_tool_that_left_out_the_platform_meant_dockers_and_a_compressed_layer_counts_as_what_is_in_it()
    {
        string id = LegacyLayer.IdOf('1');
        LegacyLayer layer = new(id, """{"created":"2015-01-01T00:00:00Z","config":{"Cmd":["cat","/etc/redhat-release"],"Env":["PATH=/bin"]}}""", Layer.Gzip(Machine.Images.PlainLayer));
        await File.WriteAllBytesAsync(Oci["archive"], LegacyLayer.Archive([("bare", "1", id)], layer).ToTar(), Cancellation);

        (await Oci.RunAsync("load", "-q", "-i", Oci["archive"])).Succeeded();

        Assert.Equal("amd64 linux\n", (await Oci.RunAsync("image", "inspect", "--format", "{{.Architecture}} {{.Os}}", "bare:1")).Succeeded().Output);
        Assert.Equal("Fedora release 34 (Thirty Four)\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "bare:1")).Succeeded().Output);
    }

    public static TheoryData<string, string> Damages() => new()
    {
        { "cycle", "is its own ancestor" },
        { "long chain", "more than the 500 layers" },
        { "no parent", "'a{63}2/json': no such file" },
        { "no layer", "the layer 'a{63}1/layer.tar' is missing" },
        { "bad parent", "'../../etc' is no ID of a layer" },
        { "bad name", "'xyz' is no ID of a layer" },
        { "not JSON", "invalid a{63}1/json" },
        { "two values", "invalid a{63}1/json: .*[Dd]uplicate" },
        { "wrong type", "invalid a{63}1/json" },
        { "no time", "'yesterday' is no time" },
        { "repositories", "invalid repositories" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_archive_is_one_clear_error_and_nothing_is_named(string damage, string cause)
    {
        string one = LegacyLayer.IdOf('1');
        LegacyLayer sound = LegacyLayer.Of('1', parent: null, Top);
        (string, string, string)[] names = [("x", "1", damage == "bad name" ? "xyz" : one)];
        Layer archive = damage switch
        {
            "cycle" => LegacyLayer.Archive(names, LegacyLayer.Of('1', LegacyLayer.IdOf('2'), Top), LegacyLayer.Of('2', one, Top)),
            "long chain" => LegacyLayer.Archive([("x", "1", Number(0))], [.. Enumerable.Range(0, 501).Select(i => sound with { Id = Number(i), Json = $$"""{"parent":"{{Number(i + 1)}}"}""" })]),
            "no parent" => LegacyLayer.Archive(names, LegacyLayer.Of('1', LegacyLayer.IdOf('2'), Top)),
            "no layer" => new Layer().File("repositories", $$$"""{"x":{"1":"{{{one}}}"}}""").File($"{one}/json", sound.Json),
            "bad parent" => LegacyLayer.Archive(names, sound with { Json = """{"parent":"../../etc"}""" }),
            "not JSON" => LegacyLayer.Archive(names, sound with { Json = "{" }),
            "two values" => LegacyLayer.Archive(names, sound with { Json = """{"os":"linux","os":"linux"}""" }),
            "wrong type" => LegacyLayer.Archive(names, sound with { Json = """{"config":{"Env":{}}}""" }),
            "no time" => LegacyLayer.Archive(names, sound with { Json = """{"created":"yesterday"}""" }),
            "repositories" => new Layer().File("repositories", "[]"),
            _ => LegacyLayer.Archive(names, sound),
        };
        await File.WriteAllBytesAsync(Oci["archive"], archive.ToTar(), Cancellation);

        Failed(await Oci.RunAsync("load", "-q", "-i", Oci["archive"]), 125, cause);

        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
    }

    [Fact]
    public async Task Links_do_not_make_one_description_that_of_any_number_of_layers()
    {
        string json = $$"""{"os":"linux","filling":"{{new string('x', 4_000_000)}}"}""";
        Layer archive = LegacyLayer.Archive([.. Enumerable.Range(0, 20).Select(i => ($"app{i}", "1", Number(i)))], new LegacyLayer(Number(0), json, Top));
        for (int i = 1; i < 20; i++)
        {
            archive.HardLink($"{Number(i)}/json", $"{Number(0)}/json").HardLink($"{Number(i)}/layer.tar", $"{Number(0)}/layer.tar");
        }

        await File.WriteAllBytesAsync(Oci["archive"], archive.ToTar(), Cancellation);
        ProgramResult load = await Oci.RunAsync("load", "-q", "-i", Oci["archive"]);

        Assert.Equal(125, load.Status);
        Assert.Contains("its layers have more than 64 MiB of json", load.Error, StringComparison.Ordinal);
    }

    // tar's own deletion leaves an archive that Go does not read
    private async Task WithoutManifestAsync(string archive)
    {
        Directory.CreateDirectory(Oci["unpacked"]);
        (await Shell.RunAsync("tar", "-xf", archive, "-C", Oci["unpacked"])).Succeeded();
        File.Delete(Path.Join(Oci["unpacked"], "manifest.json"));
        (await Shell.RunAsync("tar", "-cf", archive, "-C", Oci["unpacked"], ".")).Succeeded();
    }

    private static string Number(int number) => number.ToString("x64", System.Globalization.CultureInfo.InvariantCulture);

    private async Task<string> ConfigAsync(string id) =>
        Encoding.UTF8.GetString(await File.ReadAllBytesAsync(Path.Join(Oci.Root, "blobs/sha256", id.Trim()["sha256:".Length..]), Cancellation));
}
