using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;
using OciTool.SystemTests.Fixtures;
using OciTool.Tests.Layers.Model;
using Xunit;

namespace OciTool.SystemTests.Layers;

/// <summary>The reader that judges our erofs writer is itself judged by images of <c>mkfs.erofs</c>.</summary>
public sealed class ErofsImageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        DirectoryTree.Remove(Path.Join(_directory.Path, "fs")); // names that are not UTF-8
        _directory.Dispose();
    }

    [Theory]
    [InlineData("-x2")] // extended inodes, attributes inside
    [InlineData("-x1")] // shared attributes
    [InlineData("-T1700000000")] // one time for all: compact inodes
    [InlineData("--chunksize=8192")]
    [InlineData("-Enoinline_data")]
    public async Task It_reads_what_mkfs_erofs_writes(string option)
    {
        Need.Root();
        Need.Programs("mkfs.erofs");
        string tree = Path.Join(_directory.Path, "fs");
        string image = Path.Join(_directory.Path, "image");
        for (ulong seed = 1; seed <= 8; seed++)
        {
            byte[] archive = LayerEncoder.Encode(RandomLayers.Layer(new Dice(seed), valid: true, most: 200));
            FileNode expected = Extracted(archive);
            (await Shell.RunAsync("mkfs.erofs", option, "--quiet", image, tree)).Succeeded();
            if (option.StartsWith("-T", StringComparison.Ordinal))
            {
                SetTimes(expected, new Time(1_700_000_000, 0));
            }

            FileNode actual = ErofsImage.Read(await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken));

            Assert.Equal("", TreeText.Difference(TreeText.Of(expected), TreeText.Of(actual)));
            DirectoryTree.Remove(tree);
        }
    }

    /// <summary>Some tree with everything in it; here it does not matter how it came about.</summary>
    private FileNode Extracted(byte[] archive)
    {
        using MemoryStream content = new(archive);
        LayerApplier.Apply(content, _directory.Path, SnapshotForm.Directory, Digest.Of(archive), new LayerLimits(), _ => { });
        using RootDirectory root = new(Path.Join(_directory.Path, "fs"));
        FileNode read = LiveTree.Read(root.Handle);
        TakeMarks(read);
        return read;
    }

    private static void TakeMarks(FileNode node)
    {
        node.Xattrs.Remove("trusted.overlay.opaque");
        node.Xattrs.Remove("trusted.overlay.origin");
        node.Children.Values.ToList().ForEach(TakeMarks);
    }

    private static void SetTimes(FileNode node, Time time)
    {
        node.Modified = time;
        node.Children.Values.ToList().ForEach(child => SetTimes(child, time));
    }
}
