namespace OciTool.SystemTests.Fixtures;

/// <summary>containerd without its Kubernetes part, with directories of its own.</summary>
internal sealed class Containerd : IAsyncDisposable
{
    private readonly RunningProgram _process;

    private Containerd(RunningProgram process, string socket) => (_process, Socket) = (process, socket);

    /// <summary>The address to give to ctr's <c>-a</c>.</summary>
    public string Socket { get; }

    /// <param name="directory">Where everything of it lies; the caller removes it.</param>
    public static async Task<Containerd> StartAsync(string directory)
    {
        Need.Root();
        Need.Programs("containerd", "ctr", "containerd-shim-runc-v2", "runc");
        string socket = Path.Join(directory, "containerd.sock");
        string config = Path.Join(directory, "config.toml");
        await File.WriteAllTextAsync(config, $"""
            version = 2
            root = "{directory}/data"
            state = "{directory}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
            address = "{socket}"
            """);
        RunningProgram process = RunningProgram.Start("containerd", ["--config", config]);
        await process.ErrorHasAsync("containerd successfully booted");
        return new Containerd(process, socket);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.SignalAsync("TERM");
        await _process.EndAsync();
        _process.Dispose();
    }
}
