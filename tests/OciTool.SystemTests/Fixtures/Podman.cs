namespace OciTool.SystemTests.Fixtures;

/// <summary>podman with a store of its own, to be compared with.</summary>
internal sealed class Podman : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private readonly string _driver;

    public Podman(string driver = "overlay")
    {
        _driver = driver;
        Need.Root();
        Need.Programs("podman", "runc");
        // podman's own limits are more than a machine without CAP_SYS_RESOURCE may give
        File.WriteAllText(this["containers.conf"], """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
            """);
    }

    /// <summary>A path for files, which goes with the store.</summary>
    public string this[string name] => _directory[name];

    /// <summary>Its store as containers-storage(5) writes it before a name.</summary>
    public string Store => $"[{_driver}@{this["root"]}+{this["runroot"]}]";

    public Task<ProgramResult> RunAsync(params string[] arguments) => Shell.RunAsync(
        "podman",
        [
            "--root", this["root"], "--runroot", this["runroot"], "--storage-driver", _driver, "--runtime", "runc",
            "--cgroup-manager", "cgroupfs", "--events-backend", "none", .. arguments,
        ],
        new Dictionary<string, string?> { ["CONTAINERS_CONF"] = this["containers.conf"] });

    /// <summary>Pulls an image from a registry without TLS.</summary>
    public async Task<string> PullAsync(string image)
    {
        (await RunAsync("pull", "-q", "--tls-verify=false", image)).Succeeded();
        return image;
    }

    public async ValueTask DisposeAsync()
    {
        // its containers' monitors tidy up, in podmans of their own, after the command has returned
        await Processes.GoneAsync([_directory.Path], TimeSpan.FromSeconds(10));
        foreach (string mount in Mounts.Under(_directory.Path).Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        _directory.Dispose();
    }
}
