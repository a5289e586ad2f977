using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Interop;

/// <summary>skopeo runs nothing: what it reads, it copies into podman's store, and podman runs it.</summary>
internal sealed class PeerSkopeo : Peer
{
    private readonly PeerPodman _podman = new();

    public override Place Own => _podman.Own;

    public override async Task<ProgramResult> RunAsync(Place place)
    {
        if (place != Own)
        {
            (await CopyAsync(place.Transport, Own.Transport, "--src-tls-verify=false")).Succeeded();
        }

        return await _podman.RunAsync(Own);
    }

    public override async Task WriteAsync(string layout, Place place) => (await CopyAsync(
        $"oci:{layout}:image",
        place.Transport,
        place.Form switch
        {
            "registry-oci" => ["--dest-tls-verify=false", "--format", "oci"],
            "registry-schema2" => ["--dest-tls-verify=false", "--format", "v2s2"],
            "registry-zstd" => ["--dest-tls-verify=false", "--format", "oci", "--dest-compress-format", "zstd"],
            _ => [],
        })).Succeeded();

    public override async ValueTask DisposeAsync()
    {
        await _podman.DisposeAsync();
        await base.DisposeAsync();
    }

    private static Task<ProgramResult> CopyAsync(string from, string to, params string[] options)
    {
        Need.Programs("skopeo");
        return Shell.RunAsync("skopeo", ["copy", "-q", .. options, from, to]);
    }
}
