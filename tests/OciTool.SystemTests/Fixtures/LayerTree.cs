using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The tree of an applied layer (docs/architecture.md, "The store"): a directory, or a file that is mounted meanwhile.</summary>
/// <param name="path">Where the tree is seen.</param>
/// <param name="isMount">Whether it has to be unmounted.</param>
internal sealed class LayerTree(string path, bool isMount) : IAsyncDisposable
{
    /// <summary>Where the tree is seen.</summary>
    public string Path => path;

    /// <summary>Shows a layer of an image of a store.</summary>
    /// <param name="oci">The store.</param>
    /// <param name="image">The image.</param>
    /// <param name="index">Which layer, from the bottom.</param>
    public static async Task<LayerTree> OpenAsync(Oci oci, string image, int index = 0)
    {
        ProgramResult diffId = await oci.RunAsync("inspect", "--format", $"{{{{index .RootFS.Layers {index}}}}}", image);
        string layer = System.IO.Path.Join(oci.Root, "layers", diffId.Succeeded().Output.Trim().Replace(':', '/'));
        string file = System.IO.Path.Join(layer, "layer.erofs");
        if (!File.Exists(file))
        {
            return new LayerTree(System.IO.Path.Join(layer, "fs"), isMount: false);
        }

        (await Shell.RunAsync("fsck.erofs", file)).Succeeded();
        string tree = oci[$"mounted-{index}"];
        Directory.CreateDirectory(tree);
        (await Shell.RunAsync("mount", "-t", "erofs", "-o", "ro", file, tree)).Succeeded();
        return new LayerTree(tree, isMount: true);
    }

    public async ValueTask DisposeAsync()
    {
        if (isMount)
        {
            Assert.Equal(0, (await Shell.RunAsync("umount", path)).Status);
        }
    }
}
