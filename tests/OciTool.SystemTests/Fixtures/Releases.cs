using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The smallest userlands of Debian's releases in which a dynamic program runs: a shell and its C library.</summary>
internal static class Releases
{
    // what base-files brings: a merged /usr, where the release has one
    private const string Finish = """
        cd "$0"
        rm -rf usr/share
        for directory in bin lib lib64; do
            [ -e "$directory" ] || [ ! -e "usr/$directory" ] || ln -s "usr/$directory" "$directory"
        done
        [ -e bin/sh ] || ln -s dash bin/sh
        printf 'ID=debian\nVERSION_CODENAME=%s\n' "$1" >etc/os-release
        """;

    /// <summary>An image of one layer.</summary>
    /// <param name="suite">For example <c>trixie</c>.</param>
    /// <param name="debian">Debian's name of the architecture.</param>
    /// <param name="architecture">The word of image configurations for it.</param>
    public static async Task<TestImage> ImageAsync(string suite, string debian, string architecture)
    {
        using TemporaryDirectory work = new();
        string root = work["root"];
        Directory.CreateDirectory(root);
        await DebianArchive.UnpackAsync(suite, debian, root, "libc6", "dash");
        (await Shell.RunAsync("sh", "-ec", Finish, root, suite)).Succeeded();
        (await Shell.RunAsync("tar", "--format=posix", "--numeric-owner", "--owner=0", "--group=0", "--sort=name", "-C", root, "-cf", work["layer.tar"], ".")).Succeeded();
        JsonObject config = BusyboxImages.Config;
        config["Cmd"] = new JsonArray("/bin/sh", "-c", "exit 0");
        return TestImage.Of(config, architecture, await File.ReadAllBytesAsync(work["layer.tar"]));
    }
}
