using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

internal sealed class PeerDocker : Peer
{
    private Dockerd? _started;

    public override (string Name, string? Value)[] Environment => [("DOCKER_HOST", Daemon.Socket)];

    private Dockerd Daemon => _started ?? throw new InvalidOperationException("the daemon is not started");

    public override Place Own => new("docker-daemon", $"localhost/{Place.Tag}:1");

    public override async Task StartAsync() => _started = await Dockerd.StartAsync();

    public override async Task<ProgramResult> RunAsync(Place place)
    {
        string image = place == Own ? place.Path
            : place.IsRegistry ? (await Daemon.DockerAsync("pull", "-q", place.Path)).Lines[^1]
            : (await Daemon.DockerAsync("load", "-q", "-i", place.Path)).Lines[^1].Split(' ')[^1];
        return await Daemon.DockerAsync(["run", "--rm", "--network", "none", image, .. Lister]);
    }

    public override async Task WriteAsync(string layout, Place place)
    {
        await Daemon.DockerAsync("load", "-q", "-i", await AsArchiveAsync(layout, "docker-archive"));
        if (place.IsRegistry)
        {
            await Daemon.DockerAsync("tag", $"localhost/{Place.Tag}:1", place.Path);
            await Daemon.DockerAsync("push", "-q", place.Path);
        }
        else if (place != Own)
        {
            await Daemon.DockerAsync("save", "-o", place.Path, $"localhost/{Place.Tag}:1");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_started is not null)
        {
            await _started.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
