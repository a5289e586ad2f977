using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

/// <summary>containerd without its Kubernetes part, and ctr for its client.</summary>
internal sealed class PeerContainerd : Peer
{
    private const string Name = $"localhost/{Place.Tag}:1";

    private readonly string _namespace = $"interop-{Guid.NewGuid():n}";
    private RunningProgram? _daemon;

    private string Socket => Directory["containerd.sock"];

    public override async Task StartAsync()
    {
        Need.Root();
        Need.Programs("containerd", "ctr", "containerd-shim-runc-v2", "runc");
        await File.WriteAllTextAsync(Directory["config.toml"], $"""
            version = 2
            root = "{Directory["data"]}"
            state = "{Directory["state"]}"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "{Socket}"
            """);
        _daemon = RunningProgram.Start("containerd", ["--config", Directory["config.toml"]]);
        await _daemon.ErrorHasAsync("containerd successfully booted");
    }

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
        if (_daemon is not null)
        {
            await _daemon.SignalAsync("TERM");
            await _daemon.EndAsync();
            _daemon.Dispose();
        }

        await Shell.RunAsync("rm", "-rf", $"/run/containerd/runc/{_namespace}");
        await base.DisposeAsync();
    }

    private Task<ProgramResult> CtrAsync(params string[] arguments) =>
        Shell.RunAsync("ctr", ["-a", Socket, "-n", _namespace, .. arguments]);
}
