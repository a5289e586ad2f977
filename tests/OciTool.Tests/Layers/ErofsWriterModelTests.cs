using OciTool.Images;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Model;
using Xunit;

namespace OciTool.Tests.Layers;

/// <summary>An erofs image of any layer is sound, and has the tree that the specification gives the layer.</summary>
[Trait("Pace", "slow")]
public sealed class ErofsWriterModelTests : IDisposable
{
    // in memory, where there is such a place: images are made durable, which takes a disk longer than all else
    private readonly string _place = Directory.CreateDirectory(
        Path.Join(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"oci-erofs-{Guid.NewGuid():n}")).FullName;

    public void Dispose() => Directory.Delete(_place, recursive: true);

    [Fact]
    public void Images_of_random_layers_have_the_tree_of_the_model()
    {
        for (ulong seed = 1; seed <= 300; seed++)
        {
            List<LayerEntry> layer = RandomLayers.Layer(new Dice(seed), valid: true, most: seed % 10 == 0 ? 150 : 14);
            if (Compare(layer).Length > 0)
            {
                List<LayerEntry> smallest = Shrinking.Shrink([layer], smaller => smaller.Count > 0 && Compare(smaller[0]).Length > 0)[0];
                Assert.Fail($"seed {seed}:\n{Shrinking.Describe([smallest])}{Compare(smallest)}");
            }
        }
    }

    [Theory]
    [InlineData(3048)]
    [InlineData(4095)]
    [InlineData(7000)]
    [InlineData(700_000)]
    public void A_hard_link_may_add_attributes_for_which_the_inode_has_no_room(int size)
    {
        LayerEntry file = new("f", FileKind.File) { Content = string.Concat(Enumerable.Range(0, size).Select(i => (char)(i % 251))) };
        Dictionary<string, string> xattrs = new() { ["user.a"] = new('a', 3000), ["user.b"] = new('b', 3000) };

        Assert.Equal("", Compare([file, new("l", FileKind.HardLink) { Link = "f", Xattrs = xattrs }, file with { Name = "g" }]));
    }

    [Fact]
    public void What_the_model_refuses_is_refused_and_nothing_else()
    {
        int refused = 0;
        for (ulong seed = 1; seed <= 500; seed++)
        {
            List<LayerEntry> layer = RandomLayers.Layer(new Dice(seed), valid: false, most: 8);
            bool isValid = RandomLayers.IsValid(layer);
            refused += isValid ? 0 : 1;
            Assert.True(isValid == IsApplied(layer, SnapshotForm.Erofs), $"erofs, seed {seed}:\n{Shrinking.Describe([layer])}");
            if (Environment.IsPrivilegedProcess) // without root an owner may have no mapping
            {
                Assert.True(isValid == IsApplied(layer, SnapshotForm.Directory), $"directory, seed {seed}:\n{Shrinking.Describe([layer])}");
            }
        }

        Assert.InRange(refused, 100, 400);
    }

    private string Compare(List<LayerEntry> layer)
    {
        try
        {
            bool opaqueRoot = Apply(layer, SnapshotForm.Erofs).OpaqueRoot;
            FileNode actual = ErofsImage.Read(File.ReadAllBytes(Path.Join(_place, "layer.erofs")));
            actual.IsOpaque = opaqueRoot; // said beside the image: overlayfs does not ask the root
            return TreeText.Difference(TreeText.Of(LayerModel.Apply(layer), overlay: true), TreeText.Of(actual, overlay: true));
        }
        catch (Exception e) when (e is ErofsException or OciException)
        {
            return $"  {e.Message}\n";
        }
        finally
        {
            File.Delete(Path.Join(_place, "layer.erofs"));
        }
    }

    private bool IsApplied(List<LayerEntry> layer, SnapshotForm form)
    {
        try
        {
            Apply(layer, form);
            return true;
        }
        catch (LayerException)
        {
            return false;
        }
        finally
        {
            File.Delete(Path.Join(_place, "layer.erofs"));
            OciTool.Linux.DirectoryTree.Remove(Path.Join(_place, "fs"));
        }
    }

    private AppliedLayer Apply(List<LayerEntry> layer, SnapshotForm form)
    {
        byte[] archive = LayerEncoder.Encode(layer);
        using MemoryStream content = new(archive);
        return LayerApplier.Apply(content, _place, form, Digest.Of(archive), new LayerLimits(), _ => { });
    }
}
