using System.Collections.Concurrent;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The tools whose images we must understand: each pushes an image once into the shared storage.</summary>
internal sealed class Peers(Machine machine) : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> _pushed = new();
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private Lazy<Task<string>>? _layouts;
    private Dockerd? _dockerd;

    /// <summary>Pushes and returns the name of the repository, whose tag is <c>latest</c>.</summary>
    /// <param name="peer"><c>podman</c>, <c>buildah</c>, <c>skopeo</c> or <c>docker</c>.</param>
    /// <param name="format"><c>oci</c> or <c>v2s2</c>.</param>
    /// <param name="compression"><c>gzip</c> or <c>zstd</c>.</param>
    public Task<string> PushAsync(string peer, string format, string compression, bool isMultiArchitecture)
    {
        string repository = $"{peer}-{format}-{compression}-{(isMultiArchitecture ? "multi" : "single")}";
        return _pushed.GetOrAdd(repository, name => new(async () =>
        {
            string target = $"{await machine.HostAsync()}/{name}:latest";
            await _oneAtATime.WaitAsync();
            try
            {
                await PushAsync(peer, format, compression, isMultiArchitecture, target);
            }
            finally
            {
                _oneAtATime.Release();
            }

            return name;
        })).Value;
    }

    /// <summary>The store of podman and buildah, which a test may look into.</summary>
    public string[] StorageArguments =>
        ["--root", _directory["storage"], "--runroot", _directory["run"], "--storage-driver", "overlay"];

    public string StorageRoot => _directory["storage"];

    public async ValueTask DisposeAsync()
    {
        if (_dockerd is not null)
        {
            await _dockerd.DisposeAsync();
        }

        foreach (string mount in Mounts.Under(_directory.Path).Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        _directory.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task PushAsync(
        string peer, string format, string compression, bool isMultiArchitecture, string target)
    {
        Need.Root();
        Need.Programs(peer, "skopeo");
        string layouts = await LayoutsAsync();
        string[] compressed = ["--format", format, "--compression-format", compression];
        switch (peer, isMultiArchitecture)
        {
            case ("skopeo", _):
                string[] all = isMultiArchitecture ? ["--all"] : [];
                await SucceedAsync(
                    "skopeo", ["copy", "-q", .. all, "--format", format, "--dest-compress-format", compression,
                        "--dest-tls-verify=false", $"oci:{layouts}/{(isMultiArchitecture ? "multi" : "single")}:image",
                        $"docker://{target}"]);
                break;
            case ("podman" or "buildah", false):
                string id = await StoreAsync(peer, $"{layouts}/single.tar");
                await SucceedAsync(
                    peer, [.. StorageArguments, "push", "-q", "--tls-verify=false", .. compressed, id, $"docker://{target}"]);
                break;
            case ("podman" or "buildah", true):
                string list = target[(target.IndexOf('/', StringComparison.Ordinal) + 1)..];
                await SucceedAsync(peer, [.. StorageArguments, "manifest", "create", list]);
                await SucceedAsync(
                    peer, [.. StorageArguments, "manifest", "add", "--all", list, $"oci:{layouts}/multi:image"]);
                await SucceedAsync(
                    peer, [.. StorageArguments, "manifest", "push", "--all", "--tls-verify=false", "--format", format,
                        list, $"docker://{target}"]);
                break;
            case ("docker", false):
                await (await DockerAsync()).PushAsync($"{layouts}/single.tar", target);
                break;
            default:
                Dockerd docker = await DockerAsync();
                await docker.PushAsync($"{layouts}/single.tar", $"{target}-amd64");
                await docker.PushAsync($"{layouts}/foreign.tar", $"{target}-arm64");
                await docker.PushListAsync(target, [$"{target}-amd64", $"{target}-arm64"]);
                break;
        }
    }

    private async Task<string> StoreAsync(string peer, string archive)
    {
        ProgramResult pull = await SucceedAsync(peer, [.. StorageArguments, "pull", "-q", $"docker-archive:{archive}"]);
        return pull.Lines[^1];
    }

    private async Task<Dockerd> DockerAsync() => _dockerd ??= await Dockerd.StartAsync();

    private Task<string> LayoutsAsync() => (_layouts ??= new(async () =>
    {
        string root = _directory["layouts"];
        machine.Images.Plain.WriteLayout($"{root}/single");
        (await machine.Images.ForeignAsync()).WriteLayout($"{root}/foreign");
        (await machine.Images.TwoArchitecturesAsync()).WriteLayout($"{root}/multi");
        await SucceedAsync("skopeo", ["copy", "-q", $"oci:{root}/single:image", $"docker-archive:{root}/single.tar:a/single:latest"]);
        await SucceedAsync("skopeo", ["copy", "-q", $"oci:{root}/foreign:image", $"docker-archive:{root}/foreign.tar:a/foreign:latest"]);
        return root;
    })).Value;

    private static async Task<ProgramResult> SucceedAsync(string program, string[] arguments) =>
        (await Shell.RunAsync(program, arguments)).Succeeded();
}
