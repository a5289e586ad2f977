using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

internal sealed class PeerPodman : Peer
{
    private readonly Podman _podman = new();

    public override Place Own => new("containers-storage", $"{_podman.Store}localhost/{Place.Tag}:1");

    public override async Task<ProgramResult> RunAsync(Place place)
    {
        string image = place == Own ? $"localhost/{Place.Tag}:1" : await PullAsync(place.Transport);
        return await RunImageAsync(image);
    }

    public override async Task WriteAsync(string layout, Place place)
    {
        string id = await PullAsync($"oci:{layout}:image");
        (await (place.Form switch
        {
            "containers-storage" => _podman.RunAsync("tag", id, $"localhost/{Place.Tag}:1"),
            "docker-archive" or "oci-archive" => SaveAsync(id, place),
            _ => _podman.RunAsync(["push", "-q", "--tls-verify=false", .. place.PushOptions, id, place.Transport]),
        })).Succeeded();
    }

    public Task<ProgramResult> RunImageAsync(string image) =>
        _podman.RunAsync(["run", "--rm", "--network", "none", image, .. Lister]);

    public override async ValueTask DisposeAsync()
    {
        await _podman.DisposeAsync();
        await base.DisposeAsync();
    }

    private async Task<string> PullAsync(string transport) =>
        (await _podman.RunAsync("pull", "-q", "--tls-verify=false", transport)).Succeeded().Lines[^1];

    private async Task<ProgramResult> SaveAsync(string id, Place place)
    {
        (await _podman.RunAsync("tag", id, $"localhost/{Place.Tag}:1")).Succeeded();
        return await _podman.RunAsync("save", "-q", "--format", place.Form, "-o", place.Path, $"localhost/{Place.Tag}:1");
    }
}
