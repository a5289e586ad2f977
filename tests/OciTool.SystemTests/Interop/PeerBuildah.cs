using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

internal sealed class PeerBuildah : Peer
{
    public PeerBuildah()
    {
        Need.Root();
        Need.Programs("buildah");
        File.WriteAllText(Directory["containers.conf"], """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
            """);
    }

    public override Place Own => new("containers-storage", $"[overlay@{Directory["root"]}+{Directory["runroot"]}]localhost/{Place.Tag}:1");

    public override async Task<ProgramResult> RunAsync(Place place)
    {
        string image = place == Own ? $"localhost/{Place.Tag}:1" : await PullAsync(place.Transport);
        string container = (await BuildahAsync("from", "-q", "--pull-never", image)).Succeeded().Lines[^1];
        return await BuildahAsync(["run", "--isolation", "chroot", container, "--", .. Lister]);
    }

    public override async Task WriteAsync(string layout, Place place)
    {
        string id = await PullAsync($"oci:{layout}:image");
        (await (place == Own
            ? BuildahAsync("tag", id, $"localhost/{Place.Tag}:1")
            : BuildahAsync(["push", "-q", "--tls-verify=false", .. place.PushOptions, id, place.Transport]))).Succeeded();
    }

    private async Task<string> PullAsync(string transport) =>
        (await BuildahAsync("pull", "-q", "--tls-verify=false", transport)).Succeeded().Lines[^1];

    private Task<ProgramResult> BuildahAsync(params string[] arguments) => Shell.RunAsync(
        "buildah",
        ["--root", Directory["root"], "--runroot", Directory["runroot"], "--storage-driver", "overlay", .. arguments],
        new Dictionary<string, string?> { ["CONTAINERS_CONF"] = Directory["containers.conf"] });
}
