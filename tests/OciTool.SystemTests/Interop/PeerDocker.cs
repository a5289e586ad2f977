using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

internal sealed class PeerDocker : Peer
{
    private Dockerd? _dockerd;

    public override (string Name, string? Value)[] Environment => [("DOCKER_HOST", _dockerd!.Socket)];

    public override Place Own => new("docker-daemon", $"localhost/{Place.Tag}:1");

    public override async Task StartAsync() => _dockerd = await Dockerd.StartAsync();

    public override async Task<ProgramResult> RunAsync(Place place)
    {
        string image = place == Own ? place.Path
            : place.IsRegistry ? (await _dockerd!.DockerAsync("pull", "-q", place.Path)).Lines[^1]
            : (await _dockerd!.DockerAsync("load", "-q", "-i", place.Path)).Lines[^1].Split(' ')[^1];
        return await _dockerd.DockerAsync(["run", "--rm", "--network", "none", image, .. Lister]);
    }

    public override async Task WriteAsync(string layout, Place place)
    {
        await _dockerd!.DockerAsync("load", "-q", "-i", await AsArchiveAsync(layout, "docker-archive"));
        if (place.IsRegistry)
        {
            await _dockerd.DockerAsync("tag", $"localhost/{Place.Tag}:1", place.Path);
            await _dockerd.DockerAsync("push", "-q", place.Path);
        }
        else if (place != Own)
        {
            await _dockerd.DockerAsync("save", "-o", place.Path, $"localhost/{Place.Tag}:1");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_dockerd is not null)
        {
            await _dockerd.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
