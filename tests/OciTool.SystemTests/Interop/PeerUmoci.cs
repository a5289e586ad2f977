using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

/// <summary>umoci makes bundles of layouts, which runc runs, and layers of bundles.</summary>
internal sealed class PeerUmoci : Peer
{
    public override async Task<ProgramResult> RunAsync(Place place)
    {
        Need.Programs("umoci", "runc");
        string bundle = await UnpackAsync($"{place.Path}:{Place.Tag}");
        JsonNode config = JsonNode.Parse(await File.ReadAllTextAsync($"{bundle}/config.json"))!;
        config["process"]!["terminal"] = false;
        config["process"]!["args"] = new JsonArray([.. Lister.Select(word => (JsonNode)word)]);
        config["process"]!.AsObject().Remove("rlimits"); // more than a machine without CAP_SYS_RESOURCE may give
        await File.WriteAllTextAsync($"{bundle}/config.json", config.ToJsonString());
        return await Shell.RunAsync("runc", "--root", Directory["state"], "run", "--bundle", bundle, $"interop-{Guid.NewGuid():n}");
    }

    public override async Task WriteAsync(string layout, Place place)
    {
        Need.Programs("umoci");
        (await Shell.RunAsync("cp", "-a", layout, place.Path)).Succeeded();
        string bundle = await UnpackAsync($"{place.Path}:image");
        await File.WriteAllTextAsync($"{bundle}/rootfs/by-umoci", "a layer of umoci's\n");
        (await Shell.RunAsync("umoci", "repack", "--image", $"{place.Path}:{Place.Tag}", bundle)).Succeeded();
    }

    private async Task<string> UnpackAsync(string image)
    {
        string bundle = Directory["bundle"];
        (await Shell.RunAsync("umoci", "unpack", "--image", image, bundle)).Succeeded();
        return bundle;
    }
}
