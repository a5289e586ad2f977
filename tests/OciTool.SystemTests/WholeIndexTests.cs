using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>A whole index in the store: all its platforms, and what is in it beside images.</summary>
public sealed class WholeIndexTests(Machine machine) : OciTest(machine)
{
    private const string Platforms = "--all-platforms cannot be used with --platform, --arch, --os or --variant";

    private TestImage Index => field ??= WholeIndex.Of(Machine.Images);

    [Fact]
    public async Task The_digest_of_an_index_is_the_same_after_pull_save_load_and_push()
    {
        Need.Programs("skopeo");
        string image = await PublishAsync();

        ProgramResult pull = (await Oci.RunAsync("pull", "-q", "--all-platforms", image)).Succeeded();
        (await Oci.RunAsync("save", "-q", "--format", "oci-archive", "--all-platforms", "-o", Oci["saved"], image)).Succeeded();
        await using Oci other = new();
        ProgramResult load = (await other.RunAsync("load", "-q", "--all-platforms", "-i", Oci["saved"])).Succeeded();
        string target = $"{await Machine.HostAsync()}/whole-again/{Guid.NewGuid():n}:1";
        (await other.RunAsync("push", "-q", "--all", image, target)).Succeeded();

        Assert.Equal(Machine.Images.Plain.Id, pull.Output.Trim());
        Assert.Equal($"Loaded image: {image}\n", load.Output);
        await IsInRegistryAsync(target);
        await using Oci third = new();
        (await third.RunAsync("pull", "-q", "--all-platforms", target)).Succeeded();
        foreach (Blob blob in Index.All())
        {
            Assert.Equal(blob.Content, await File.ReadAllBytesAsync(Path.Join(third.Root, "blobs/sha256", blob.Digest["sha256:".Length..]), Cancellation));
        }
    }

    [Fact]
    public async Task Its_images_are_listed_inspected_and_run_and_the_store_is_clean_until_it_is_empty()
    {
        string image = await PublishAsync();
        (await Oci.RunAsync("pull", "-q", "--all-platforms", image)).Succeeded();

        Assert.Equal(
            [Machine.Images.Plain.Id, Index.Platforms[1].Id, Index.Platforms[4].Platforms[0].Id],
            (await Oci.RunAsync("images", "-q", "--no-trunc")).Succeeded().Lines.Select(id => id["sha256:".Length..]).Order(Comparer<string>.Create(
                (one, two) => Order(one).CompareTo(Order(two)))));
        Assert.Equal("amd64\n", (await Oci.RunAsync("image", "inspect", "--format", "{{.Architecture}}", image)).Succeeded().Output);
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--network", "none", image, "uname", "-m")).Succeeded().Output);
        Assert.Equal("arm\n", (await Oci.RunAsync("run", "--rm", "--network", "none", Index.Platforms[1].Id, "cat", "/arm")).Succeeded().Output);
        await IsCleanAsync();
        Assert.Contains("Leftovers:0", (await Oci.RunAsync("system", "df", "--format", "{{.Type}}:{{.RawSize}}")).Succeeded().Lines);
        (await Oci.RunAsync("system", "prune", "-f")).Succeeded();
        Assert.Equal(Index.All().Select(blob => blob.Digest).Distinct().Count(), Directory.GetFiles(Path.Join(Oci.Root, "blobs/sha256")).Length);
        await IsCleanAsync();

        (await Oci.RunAsync("rmi", image)).Succeeded();

        Assert.Empty(Directory.GetFiles(Path.Join(Oci.Root, "blobs/sha256")));
        Assert.Empty(Directory.GetDirectories(Path.Join(Oci.Root, "layers/sha256")));

        int Order(string id) => id == Machine.Images.Plain.Id ? 0 : id == Index.Platforms[1].Id ? 1 : 2;
    }

    [Fact]
    public async Task What_one_platform_has_brought_is_completed_and_what_is_whole_does_not_travel_again()
    {
        string image = await PublishAsync();
        await Oci.PullAsync(image);
        string layer = Path.Join(Oci.Root, "blobs/sha256", Machine.Images.Plain.Layer().Digest["sha256:".Length..]);
        DateTime before = File.GetLastWriteTimeUtc(layer);

        ProgramResult first = (await Oci.RunAsync("pull", "--all-platforms", image)).Succeeded();
        ProgramResult second = (await Oci.RunAsync("pull", "--all-platforms", image)).Succeeded();

        Assert.Equal(before, File.GetLastWriteTimeUtc(layer));
        Assert.Equal(Machine.Images.Plain.Id, first.Output.Trim());
        Assert.Equal(first.Output, second.Output);
        (await Oci.RunAsync("push", "-q", "--all", image, $"{await Machine.HostAsync()}/whole-completed:1")).Succeeded();
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("oci-archive")]
    public async Task A_layout_gives_one_platform_or_all_of_them(string transport)
    {
        Index.WriteLayout(Oci["layout"]);
        string place = Oci["layout"];
        if (transport == "oci-archive")
        {
            (await Shell.RunAsync("tar", "-C", Oci["layout"], "-cf", place = Oci["layout.tar"], ".")).Succeeded();
        }

        Assert.Equal(Machine.Images.Plain.Id, (await Oci.RunAsync("pull", "-q", $"{transport}:{place}")).Succeeded().Output.Trim());
        Assert.Single((await Oci.RunAsync("images", "-q")).Succeeded().Lines);
        Assert.Equal(Machine.Images.Plain.Id, (await Oci.RunAsync("pull", "-q", "--all-platforms", $"{transport}:{place}")).Succeeded().Output.Trim());

        Assert.Equal(3, (await Oci.RunAsync("images", "-q")).Succeeded().Lines.Length);
        (await Oci.RunAsync("save", "-q", "--all-platforms", "--format", "oci-dir", "-o", Oci["again"], "localhost/image")).Succeeded();
        Assert.Contains(Index.Document.Digest, await File.ReadAllTextAsync(Path.Join(Oci["again"], "index.json"), Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sparse_index_gives_what_it_has_and_not_all()
    {
        Index.WriteLayout(Oci["layout"]);
        File.Delete(BlobOf(Index.Platforms[1].Document));

        Failed(await Oci.RunAsync("load", "-q", "--all-platforms", "-i", Oci["layout"]), 125, $"{Index.Platforms[1].Document.Digest} is missing");
        Failed(await Oci.RunAsync("load", "-q", "--platform", "linux/arm64", "-i", Oci["layout"]), 125, $"{Index.Platforms[1].Document.Digest} is missing");
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        (await Oci.RunAsync("load", "-q", "-i", Oci["layout"])).Succeeded();

        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", "--network", "none", "localhost/image", "uname", "-m")).Succeeded().Output);
    }

    [Fact]
    public async Task A_damaged_attestation_is_refused_and_one_that_is_lost_is_found_by_the_check()
    {
        string statement = "sha256-" + Index.Platforms[2].Layer().Digest["sha256:".Length..];
        Index.WriteLayout(Oci["layout"]);
        string blob = BlobOf(Index.Platforms[2].Layer());
        string sound = await File.ReadAllTextAsync(blob, Cancellation);
        await File.WriteAllTextAsync(blob, sound.Replace("slsa", "SLSA", StringComparison.Ordinal), Cancellation);

        Failed(await Oci.RunAsync("load", "-q", "--all-platforms", "-i", Oci["layout"]), 125, "blob ", "digest");
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        await File.WriteAllTextAsync(blob, sound, Cancellation);
        (await Oci.RunAsync("load", "-q", "--all-platforms", "-i", Oci["layout"])).Succeeded();
        await IsCleanAsync();
        File.Delete(Path.Join(Oci.Root, "blobs", statement.Replace('-', '/')));

        ProgramResult check = await Oci.RunAsync("system", "check");

        Assert.NotEqual(0, check.Status);
        Assert.Contains("blob missing", check.Output + check.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_without_an_image_and_an_artifact_alone_are_refused_by_what_they_are()
    {
        WholeIndex.Index((WholeIndex.Attestation(), "unknown/unknown", null), (WholeIndex.Chart(), null, null)).WriteLayout(Oci["index"]);
        WholeIndex.Chart().WriteLayout(Oci["chart"]);

        Failed(await Oci.RunAsync("load", "-q", "--all-platforms", "-i", Oci["index"]), 125, "there is no container image in it");
        Failed(await Oci.RunAsync("load", "-q", "--all-platforms", "-i", Oci["chart"]), 125, "it is an artifact of type application/vnd.cncf.helm.config");
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
    }

    [Fact]
    public async Task A_single_image_is_taken_as_ever()
    {
        string image = await Machine.PlainAsync();
        Assert.Equal(Machine.Images.Plain.Id, (await Oci.RunAsync("pull", "-q", "--all-platforms", image)).Succeeded().Output.Trim());
    }

    [Fact]
    public async Task All_platforms_and_one_of_them_contradict_each_other()
    {
        Failed(await Oci.RunAsync("pull", "--all-platforms", "--platform", "linux/arm64", "x"), 125, Platforms);
        Failed(await Oci.RunAsync("pull", "--all-platforms", "--arch", "arm64", "x"), 125, Platforms);
        Failed(await Oci.RunAsync("pull", "--all-platforms", "--policy", "missing", "x"), 125, "--all-platforms needs --policy always");
        Failed(await Oci.RunAsync("load", "--all-platforms", "--variant", "v8", "-i", "x"), 125, Platforms);
        Failed(await Oci.RunAsync("save", "--all-platforms", "--os", "linux", "--format", "oci-archive", "-o", Oci["x"], "x"), 125, Platforms);
    }

    private Task<string> PublishAsync() => Machine.PublishAsync("whole-index", Index);

    private string BlobOf(Blob blob) => Path.Join(Oci["layout"], "blobs/sha256", blob.Digest["sha256:".Length..]);

    private async Task IsCleanAsync()
    {
        ProgramResult check = (await Oci.RunAsync("system", "check")).Succeeded();
        Assert.Equal("", check.Output);
    }

    private async Task IsInRegistryAsync(string target)
    {
        string repository = target[..target.LastIndexOf(':')];
        byte[] root = System.Text.Encoding.UTF8.GetBytes((await Shell.RunAsync("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{target}")).Succeeded().Output);
        Assert.Equal(Index.Document.Digest, Blob.DigestOf(root));
        foreach (TestImage entry in Index.Platforms.Append(Index.Platforms[4].Platforms[0]))
        {
            (await Shell.RunAsync("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{repository}@{entry.Document.Digest}")).Succeeded();
        }
    }
}
