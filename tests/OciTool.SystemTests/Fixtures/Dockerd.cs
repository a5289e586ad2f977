namespace OciTool.SystemTests.Fixtures;

/// <summary>A Docker daemon of our own: it touches no network settings and no store of the machine.</summary>
internal sealed class Dockerd : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly RunningProgram _process;

    private Dockerd(string[] options)
    {
        _process = RunningProgram.Start(
            "dockerd",
            ["--iptables=false", "--ip6tables=false", "--bridge=none", "--data-root", _directory["data"],
                "--exec-root", _directory["exec"], "--pidfile", _directory["pid"], "-H", Socket, .. options]);
    }

    /// <summary>Everything of this daemon is in it.</summary>
    public string Directory => _directory.Path;

    /// <summary>The address to give to docker's <c>-H</c>.</summary>
    public string Socket => $"unix://{_directory["docker.sock"]}";

    /// <summary>Where the daemon's runtimes, all of them, keep their states.</summary>
    public string States => _directory["exec/runtime-runc/moby"];

    /// <param name="options">More options of dockerd.</param>
    public static async Task<Dockerd> StartAsync(params string[] options)
    {
        Need.Programs("docker", "dockerd", "containerd");
        Dockerd dockerd = new(options);
        await dockerd._process.ErrorHasAsync("API listen on");
        return dockerd;
    }

    /// <summary>Calls docker, which has to succeed.</summary>
    public async Task<ProgramResult> DockerAsync(params string[] arguments) =>
        (await Shell.RunAsync(
            "docker",
            ["-H", Socket, .. arguments],
            new Dictionary<string, string?> { ["DOCKER_CONFIG"] = _directory["config"], ["DOCKER_CLI_EXPERIMENTAL"] = "enabled" }))
        .Succeeded();

    /// <summary>Loads an archive of one image and pushes it under another name.</summary>
    public async Task PushAsync(string archive, string target)
    {
        ProgramResult load = await DockerAsync("load", "-q", "-i", archive);
        string loaded = load.Lines[^1].Split(' ')[^1];
        await DockerAsync("tag", loaded, target);
        await DockerAsync("push", "-q", target);
    }

    /// <summary>Pushes a list of images that are in the registry already.</summary>
    public async Task PushListAsync(string target, string[] images)
    {
        await DockerAsync(["manifest", "create", "--insecure", target, .. images]);
        await DockerAsync("manifest", "push", "--insecure", target);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.SignalAsync("TERM");
        await _process.EndAsync();
        _process.Dispose();
        foreach (string mount in Mounts.Under(_directory.Path).Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        _directory.Dispose();
    }
}
