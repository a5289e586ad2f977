using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The smallest userlands of Debian's releases in which a dynamic program runs: a shell and its C library.</summary>
internal static class Releases
{
    /// <summary>An image of one layer.</summary>
    /// <param name="suite">For example <c>trixie</c>.</param>
    /// <param name="debian">Debian's name of the architecture.</param>
    /// <param name="architecture">The word of image configurations for it.</param>
    public static async Task<TestImage> ImageAsync(string suite, string debian, string architecture)
    {
        using TemporaryDirectory work = new();
        string root = work["root"];
        Directory.CreateDirectory(root);
        await DebianArchive.UnpackAsync(suite, debian, root, "base-files", "libc6", "dash");
        (await Shell.RunAsync("sh", "-c", "cd \"$0\" && rm -rf usr/share/doc && mkdir -p bin && { [ -e bin/sh ] || ln -s dash bin/sh; }", root)).Succeeded();
        (await Shell.RunAsync("tar", "--format=posix", "--numeric-owner", "--owner=0", "--group=0", "--sort=name", "-C", root, "-cf", work["layer.tar"], ".")).Succeeded();
        JsonObject config = BusyboxImages.Config;
        config["Cmd"] = new JsonArray("/bin/sh", "-c", "exit 0");
        return TestImage.Of(config, architecture, await File.ReadAllBytesAsync(work["layer.tar"]));
    }
}
