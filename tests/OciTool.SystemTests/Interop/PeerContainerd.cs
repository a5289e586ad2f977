using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

/// <summary>containerd without its Kubernetes part, and ctr for its client.</summary>
internal sealed class PeerContainerd : Peer
{
    private const string Name = $"localhost/{Place.Tag}:1";

    private readonly string _namespace = $"interop-{Guid.NewGuid():n}";
    private Containerd? _started;

    public override async Task StartAsync() => _started = await Containerd.StartAsync(Directory.Path);

    public override async Task<ProgramResult> RunAsync(Place place)
    {
        if (place.IsRegistry)
        {
            (await CtrAsync("images", "pull", "--plain-http", place.Path)).Succeeded();
        }
        else
        {
            (await CtrAsync("images", "import", "--base-name", "localhost/imported", place.Path)).Succeeded();
        }

        string image = (await CtrAsync("images", "ls", "-q")).Succeeded().Lines[0];
        return await CtrAsync(["run", "--rm", image, "one", .. Lister]);
    }

    public override async Task WriteAsync(string layout, Place place)
    {
        (await CtrAsync("images", "import", await AsArchiveAsync(layout, "docker-archive"))).Succeeded();
        if (place.IsRegistry)
        {
            (await CtrAsync("images", "push", "--plain-http", place.Path, Name)).Succeeded();
        }
        else
        {
            (await CtrAsync("images", "export", place.Path, Name)).Succeeded();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_started is not null)
        {
            await _started.DisposeAsync();
        }

        await Shell.RunAsync("rm", "-rf", $"/run/containerd/runc/{_namespace}");
        await base.DisposeAsync();
    }

    private Task<ProgramResult> CtrAsync(params string[] arguments) =>
        Shell.RunAsync("ctr", ["-a", _started!.Socket, "-n", _namespace, .. arguments]);
}
