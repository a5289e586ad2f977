using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

/// <summary>Another tool that knows images, with a store of its own.</summary>
internal abstract class Peer : IAsyncDisposable
{
    /// <summary>What shows the tree of an image, in its container.</summary>
    public static readonly string[] Lister = ["sh", "/list"];

    protected TemporaryDirectory Directory { get; } = new();

    /// <summary>Variables for us, by which we find the tool's store or daemon.</summary>
    public virtual (string Name, string? Value)[] Environment => [];

    public static Peer Of(string name) => name switch
    {
        "podman" => new PeerPodman(),
        "buildah" => new PeerBuildah(),
        "skopeo" => new PeerSkopeo(),
        "umoci" => new PeerUmoci(),
        "docker" => new PeerDocker(),
        "containerd" => new PeerContainerd(),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    public virtual Task StartAsync() => Task.CompletedTask;

    /// <summary>Where the tool itself keeps images, as we address it.</summary>
    public virtual Place Own => throw new NotSupportedException();

    /// <summary>Reads the image that lies at a place, runs it and returns what it prints.</summary>
    public abstract Task<ProgramResult> RunAsync(Place place);

    /// <summary>Writes the image of a layout, whose name is <c>image</c>, to a place.</summary>
    public abstract Task WriteAsync(string layout, Place place);

    public virtual async ValueTask DisposeAsync()
    {
        foreach (string mount in Mounts.Under(Directory.Path).Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        Directory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The image as an archive that docker and containerd read.</summary>
    protected async Task<string> AsArchiveAsync(string layout, string transport)
    {
        string file = Directory[transport];
        (await Shell.RunAsync("skopeo", "copy", "-q", $"oci:{layout}:image", $"{transport}:{file}:localhost/{Place.Tag}:1")).Succeeded();
        return file;
    }
}
