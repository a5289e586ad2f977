using System.Diagnostics.CodeAnalysis;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Interop;

/// <summary>
/// Every tool and every form, in both directions: the image is run at the far end and shows its tree there. The table of
/// docs/portability.md is made of the rows below.
/// </summary>
public sealed class InteropTests(Machine machine) : OciTest(machine)
{
    private const UnixFileMode SetUserId = (UnixFileMode)0b100_111_101_101;

    private const string List = """
        cd /data
        find . | sort | while read -r file; do
            if [ -L "$file" ]; then stat -c '%n %F %u:%g %Y' "$file"; readlink "$file"
            elif [ -d "$file" ]; then stat -c '%n %F %a %u:%g' "$file"
            else stat -c '%n %F %a %u:%g %s %Y %t:%T %h' "$file"
            fi
            if [ -f "$file" ] && [ ! -L "$file" ]; then busybox md5sum <"$file"; fi
        done
        """;

    private static readonly Lazy<TestImage> Image = new(() => TestImage.Of(
        BusyboxImages.Config,
        "amd64",
        new BusyboxImages().PlainLayer,
        new Layer().Directory("data").Directory("data/opaque").File("data/opaque/below", "1").File("data/gone", "1").File("data/changed", "1").ToTar(),
        new Layer().File("list", List)
            .File("data/.wh.gone", "").File("data/opaque/.wh..wh..opq", "").File("data/opaque/above", "2").File("data/changed", "22")
            .File("data/suid", [1, 2, 3], SetUserId, owner: 1000).File("data/empty", "")
            .HardLink("data/same", "data/suid", SetUserId, owner: 1000).Symlink("data/dangling", "../nowhere").Symlink("data/link", "suid")
            .Device("data/null", 1, 3).Fifo("data/fifo").Directory("data/sticky", (UnixFileMode)0b001_111_111_111, owner: 65534)
            .File("data/with space and ümlaut", "3").Directory($"data/{new string('d', 120)}").File($"data/{new string('d', 120)}/{new string('f', 120)}", "4")
            .ToTar()));

    private readonly string _directory = $"{Path.GetTempPath()}oci-interop-{Guid.NewGuid():n}"; // podman reads layouts only at paths without capitals

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Directory.CreateDirectory(_directory);
    }

    public override async ValueTask DisposeAsync()
    {
        await Shell.RunAsync("rm", "-rf", "--one-file-system", _directory);
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("podman", "registry-oci")]
    [InlineData("podman", "registry-schema2")]
    [InlineData("podman", "registry-zstd")]
    [InlineData("podman", "docker-archive")]
    [InlineData("podman", "oci-archive")]
    [InlineData("podman", "oci-layout")]
    [InlineData("podman", "dir")]
    [InlineData("podman", "containers-storage")]
    [InlineData("docker", "registry-oci")]
    [InlineData("docker", "registry-schema2")]
    [InlineData("docker", "docker-archive")]
    [InlineData("docker", "docker-daemon")]
    [InlineData("skopeo", "registry-oci")]
    [InlineData("skopeo", "registry-schema2")]
    [InlineData("skopeo", "registry-zstd")]
    [InlineData("skopeo", "docker-archive")]
    [InlineData("skopeo", "oci-archive")]
    [InlineData("skopeo", "oci-layout")]
    [InlineData("skopeo", "dir")]
    [InlineData("skopeo", "containers-storage")]
    [InlineData("buildah", "registry-oci")]
    [InlineData("buildah", "registry-schema2")]
    [InlineData("buildah", "registry-zstd")]
    [InlineData("buildah", "docker-archive")]
    [InlineData("buildah", "oci-archive")]
    [InlineData("buildah", "oci-layout")]
    [InlineData("buildah", "dir")]
    [InlineData("buildah", "containers-storage")]
    [InlineData("umoci", "oci-layout")]
    [InlineData("containerd", "registry-oci")]
    [InlineData("containerd", "registry-schema2")]
    [InlineData("containerd", "registry-zstd")]
    [InlineData("containerd", "docker-archive")]
    [InlineData("containerd", "oci-archive")]
    [Cannot("docker", "registry-zstd", "zstd layers are read from docker 23 on")]
    [Cannot("docker", "oci-archive", "read from docker 25 on")]
    public async Task What_we_write_runs_there(string peer, string form)
    {
        await using Peer there = Peer.Of(peer);
        await there.StartAsync();
        string image = await Oci.PullAsync(await Machine.PublishAsync("interop", Image.Value));
        string expected = (await Oci.RunAsync(["run", "--rm", "--network", "none", image, .. Peer.Lister])).Succeeded().Output;
        Place place = form is "docker-daemon" or "containers-storage" ? there.Own : await PlaceAsync(form);
        string[] conversion = form switch
        {
            "registry-schema2" => ["--format", "v2s2"],
            "registry-zstd" => ["--compression-format", "zstd"],
            _ => [],
        };

        (await Oci.RunAsync(there.Environment, input: null, ["push", "-q", .. conversion, image, place.Transport])).Succeeded();

        Assert.Contains("./same regular file 4755 1000:1000 3 1714979289 0:0 2\n", expected, StringComparison.Ordinal);
        Assert.Equal(expected, (await there.RunAsync(place)).Succeeded().Output);
    }

    [Theory]
    [InlineData("podman", "registry-oci")]
    [InlineData("podman", "registry-schema2")]
    [InlineData("podman", "registry-zstd")]
    [InlineData("podman", "docker-archive")]
    [InlineData("podman", "oci-archive")]
    [InlineData("podman", "oci-layout")]
    [InlineData("podman", "dir")]
    [InlineData("podman", "containers-storage")]
    [InlineData("docker", "registry-schema2")]
    [InlineData("docker", "docker-archive")]
    [InlineData("docker", "docker-daemon")]
    [InlineData("skopeo", "registry-oci")]
    [InlineData("skopeo", "registry-schema2")]
    [InlineData("skopeo", "registry-zstd")]
    [InlineData("skopeo", "docker-archive")]
    [InlineData("skopeo", "oci-archive")]
    [InlineData("skopeo", "oci-layout")]
    [InlineData("skopeo", "dir")]
    [InlineData("skopeo", "containers-storage")]
    [InlineData("buildah", "registry-oci")]
    [InlineData("buildah", "registry-schema2")]
    [InlineData("buildah", "registry-zstd")]
    [InlineData("buildah", "docker-archive")]
    [InlineData("buildah", "oci-archive")]
    [InlineData("buildah", "oci-layout")]
    [InlineData("buildah", "dir")]
    [InlineData("buildah", "containers-storage")]
    [InlineData("umoci", "oci-layout")]
    [InlineData("containerd", "registry-oci")]
    [InlineData("containerd", "oci-archive")]
    [InlineData("containerd", "docker-archive")]
    [Cannot("docker", "registry-oci", "docker pushes schema 2; with containerd's store, OCI")]
    public async Task What_is_written_there_runs_here(string peer, string form)
    {
        await using Peer there = Peer.Of(peer);
        await there.StartAsync();
        string original = await Oci.PullAsync(await Machine.PublishAsync("interop", Image.Value));
        string expected = (await Oci.RunAsync(["run", "--rm", "--network", "none", original, .. Peer.Lister])).Succeeded().Output;
        Image.Value.WriteLayout($"{_directory}/layout");
        Place place = form is "docker-daemon" or "containers-storage" ? there.Own : await PlaceAsync(form);
        await there.WriteAsync($"{_directory}/layout", place);
        await using Oci here = new();

        string id = (await here.RunAsync(there.Environment, input: null, "pull", "-q", AsTyped(place))).Succeeded().Output.Trim();

        Assert.Equal(expected, (await here.RunAsync(["run", "--rm", "--network", "none", id, .. Peer.Lister])).Succeeded().Output);
    }

    [Fact]
    [SuppressMessage("Performance", "CA1861", Justification = "it is called once")]
    public async Task Our_store_is_a_layout_that_skopeo_and_umoci_open()
    {
        Need.Programs("skopeo", "umoci");
        string image = await Oci.PullAsync(await Machine.PublishAsync("interop", Image.Value));

        ProgramResult inspected = await Shell.RunAsync("skopeo", "inspect", "--format", "{{.Digest}}", $"oci:{Oci.Root}:{image}");
        ProgramResult listed = await Shell.RunAsync("umoci", "ls", "--layout", Oci.Root);
        (await Shell.RunAsync("skopeo", "copy", "-q", $"oci:{Oci.Root}:{image}", $"oci:{_directory}/copy:interop")).Succeeded();
        (await Shell.RunAsync("umoci", "unpack", "--image", $"{_directory}/copy:interop", $"{_directory}/bundle")).Succeeded();

        Assert.Equal($"{Image.Value.Document.Digest}\n", inspected.Succeeded().Output);
        Assert.Equal([image], listed.Succeeded().Lines);
        Assert.Equal("22", await File.ReadAllTextAsync($"{_directory}/bundle/rootfs/data/changed", Cancellation));
    }

    // a registry of another name for zstd: podman and buildah remember where they saw which form of a layer, and use it where it does not fit
    private async Task<Place> PlaceAsync(string form) => new(form, form switch
    {
        "registry-zstd" => $"{(await Machine.HostAsync()).Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}/interop-{Guid.NewGuid():n}:1",
        "registry-oci" or "registry-schema2" => $"{await Machine.HostAsync()}/interop-{Guid.NewGuid():n}:1",
        _ => $"{_directory}/place",
    });

    // archives are read whatever their images are called; so is a layout with one image
    private static string AsTyped(Place place) => place.Form switch
    {
        "docker-archive" or "oci-archive" => $"{place.Form}:{place.Path}",
        _ => place.Transport,
    };
}
