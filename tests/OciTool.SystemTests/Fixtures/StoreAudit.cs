using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Looks through a store by hand: what is in it is whole, and nothing is in it that nobody needs.</summary>
internal static class StoreAudit
{
    /// <summary>Right after whatever happened: each blob, layer, name and record is whole or absent.</summary>
    public static void StoreIsWhole(this Oci oci) => IsWhole(oci.Root);

    /// <inheritdoc cref="StoreIsWhole(Oci)"/>
    public static void IsWhole(string root)
    {
        foreach (string blob in FilesIn(root, "blobs/sha256"))
        {
            using FileStream content = File.OpenRead(blob);
            Assert.Equal(Path.GetFileName(blob), Convert.ToHexStringLower(SHA256.HashData(content)));
        }

        foreach (string layer in DirectoriesIn(root, "layers/sha256"))
        {
            string record = Path.Join(layer, "layer.json");
            Assert.True(File.Exists(record), $"{layer} has no record");
            string form = JsonNode.Parse(File.ReadAllText(record))!["form"]!.GetValue<string>();
            Assert.True(
                form == "erofs" ? new FileInfo(Path.Join(layer, "layer.erofs")) is { Exists: true, Length: > 0 } : Directory.Exists(Path.Join(layer, "fs")),
                $"{layer} has no tree");
        }

        string index = Path.Join(root, "index.json");
        foreach (JsonNode? image in File.Exists(index) ? JsonNode.Parse(File.ReadAllText(index))!["manifests"]!.AsArray() : [])
        {
            string hex = image!["digest"]!.GetValue<string>()["sha256:".Length..];
            Assert.True(File.Exists(Path.Join(root, "blobs/sha256", hex)), $"{hex} is listed and absent");
        }
    }

    /// <summary>After a further command: the store is whole, and killed processes have left nothing.</summary>
    /// <param name="oci">The store.</param>
    /// <param name="images">The names of images of busybox, each of which must run.</param>
    public static async Task StoreIsCleanAsync(this Oci oci, params string[] images)
    {
        oci.StoreIsWhole();
        IsSwept(oci.Root);
        foreach (string image in images)
        {
            ProgramResult run = await oci.RunAsync("run", "--rm", "--network", "none", image, "cat", "/etc/redhat-release");
            Assert.Equal("Fedora release 34 (Thirty Four)\n", run.Succeeded().Output);
        }
    }

    /// <summary>No file of a process that is gone.</summary>
    public static void IsSwept(string root)
    {
        string[] left = [.. new[] { "tmp", "locks", "leases" }.SelectMany(directory => EntriesIn(root, directory)),
            .. DirectoriesIn(root, "containers").Where(container => !File.Exists(Path.Join(container, "container.json"))),
            .. FilesIn(root, "names").Where(name => !Directory.Exists(Path.Join(root, "containers", File.ReadAllText(name))))];
        Assert.True(left.Length == 0, $"left behind: {string.Join(", ", left)}");
    }

    private static string[] FilesIn(string root, string directory) =>
        Directory.Exists(Path.Join(root, directory)) ? Directory.GetFiles(Path.Join(root, directory)) : [];

    private static string[] DirectoriesIn(string root, string directory) =>
        Directory.Exists(Path.Join(root, directory)) ? Directory.GetDirectories(Path.Join(root, directory)) : [];

    private static string[] EntriesIn(string root, string directory) =>
        Directory.Exists(Path.Join(root, directory)) ? Directory.GetFileSystemEntries(Path.Join(root, directory)) : [];
}
