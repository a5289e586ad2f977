using System.Text.Json;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary><c>oci manifest</c>: an index is put together, changed, pushed and run.</summary>
public sealed class ManifestListTests(Machine machine) : OciTest(machine)
{
    private const string List = "localhost/list:1";

    [Fact]
    public async Task A_list_of_two_architectures_is_made_pushed_and_run_by_others()
    {
        Need.Programs("skopeo");
        (string amd64, string arm64) = await PullBothAsync();
        string created = Digest(await Oci.RunAsync("manifest", "create", List, amd64));
        string added = Digest(await Oci.RunAsync("manifest", "add", "--annotation", "left=right", List, arm64));
        Assert.NotEqual(created, added);

        using JsonDocument list = JsonDocument.Parse((await Oci.RunAsync("manifest", "inspect", List)).Succeeded().Output);
        JsonElement[] entries = [.. list.RootElement.GetProperty("manifests").EnumerateArray()];
        Assert.Equal(["amd64", "arm64"], entries.Select(entry => entry.GetProperty("platform").GetProperty("architecture").GetString()));
        Assert.Equal("right", entries[1].GetProperty("annotations").GetProperty("left").GetString());

        string target = $"{await Machine.HostAsync()}/made-list:1";
        ProgramResult push = await Oci.RunAsync("manifest", "push", List, target);
        push.Succeeded();
        ProgramResult raw = await Shell.RunAsync("skopeo", "inspect", "--tls-verify=false", "--raw", $"docker://{target}");
        using JsonDocument there = JsonDocument.Parse(raw.Succeeded().Output);
        Assert.True(JsonElement.DeepEquals(list.RootElement, there.RootElement), raw.Output);

        await using Oci other = new();
        await other.PullAsync(target);
        Assert.Equal("x86_64\n", (await other.RunAsync("run", "--rm", target, "uname", "-m")).Succeeded().Output);
    }

    [Fact]
    public async Task An_entry_is_annotated_replaced_and_removed()
    {
        (string amd64, string arm64) = await PullBothAsync();
        Digest(await Oci.RunAsync("manifest", "create", List, amd64, arm64));
        Digest(await Oci.RunAsync("manifest", "annotate", "--variant", "v8", "--os-version", "7", "--annotation", "a=b=c", List, arm64));
        JsonElement entry = (await EntriesAsync())[1];
        Assert.Equal("v8", entry.GetProperty("platform").GetProperty("variant").GetString());
        Assert.Equal("7", entry.GetProperty("platform").GetProperty("os.version").GetString());
        Assert.Equal("b=c", entry.GetProperty("annotations").GetProperty("a").GetString());

        Digest(await Oci.RunAsync("manifest", "add", List, amd64));
        Assert.Equal(2, (await EntriesAsync()).Length);
        Digest(await Oci.RunAsync("manifest", "remove", List, entry.GetProperty("digest").GetString()!));
        Assert.Equal("amd64", Assert.Single(await EntriesAsync()).GetProperty("platform").GetProperty("architecture").GetString());
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", List, "uname", "-m")).Succeeded().Output);
    }

    [Fact]
    public async Task A_list_is_there_until_it_is_removed_and_its_images_stay()
    {
        (string amd64, _) = await PullBothAsync();
        Assert.Equal(1, (await Oci.RunAsync("manifest", "exists", List)).Status);
        Digest(await Oci.RunAsync("manifest", "create", List));
        (await Oci.RunAsync("manifest", "exists", List)).Succeeded();
        Failed(await Oci.RunAsync("manifest", "create", List), 125, "already in use");
        Digest(await Oci.RunAsync("manifest", "create", "--amend", List, amd64));
        Assert.StartsWith($"Untagged: {List}\nDeleted: ", (await Oci.RunAsync("manifest", "rm", List)).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(1, (await Oci.RunAsync("manifest", "exists", List)).Status);
        Assert.Equal("x86_64\n", (await Oci.RunAsync("run", "--rm", amd64, "uname", "-m")).Succeeded().Output);
        (await Oci.RunAsync("system", "check")).Succeeded();
    }

    [Fact]
    public async Task What_is_wrong_is_one_clear_error()
    {
        (string amd64, string arm64) = await PullBothAsync();
        Digest(await Oci.RunAsync("manifest", "create", List, amd64));
        Failed(await Oci.RunAsync("manifest", "add", List, "localhost/nothing"), 1, "nothing: image not known");
        Failed(await Oci.RunAsync("manifest", "add", "localhost/nolist", amd64), 1, "nolist: image not known");
        Failed(await Oci.RunAsync("manifest", "add", "--annotation", "x", List, amd64), 125, "is not KEY=VALUE");
        Failed(await Oci.RunAsync("manifest", "add", "--arch", "a b", List, amd64), 125, "invalid platform");
        Failed(await Oci.RunAsync("manifest", "remove", List, arm64), 125, "no instance matching");
        Failed(await Oci.RunAsync("manifest", "add", amd64, arm64), 125, "is an image, not a manifest list");
        Failed(await Oci.RunAsync("manifest", "rm", amd64), 125, "is an image, not a manifest list");
        Assert.Single(await EntriesAsync());
    }

    private static string Digest(ProgramResult result)
    {
        Assert.Matches("^[0-9a-f]{64}\n$", result.Succeeded().Output);
        return result.Output;
    }

    private async Task<JsonElement[]> EntriesAsync()
    {
        using JsonDocument list = JsonDocument.Parse((await Oci.RunAsync("manifest", "inspect", List)).Succeeded().Output);
        return [.. list.RootElement.GetProperty("manifests").Clone().EnumerateArray()];
    }

    private async Task<(string Amd64, string Arm64)> PullBothAsync() => (
        await Oci.PullAsync(await Machine.PlainAsync()),
        await Oci.PullAsync(await Machine.PublishAsync("busybox-arm64", Machine.Images.ForeignAsync)));
}
