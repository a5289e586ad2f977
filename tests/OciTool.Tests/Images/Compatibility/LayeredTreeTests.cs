using OciTool.Images;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

public sealed class LayeredTreeTests
{
    private readonly List<FakeLayer> _layers = [new()];

    private FakeLayer Top => _layers[^1];

    [Fact]
    public void Links_are_followed_inside_the_tree_whatever_they_say()
    {
        Top.File("usr/bin/tool", "x").Link("bin", "usr/bin").Link("up", "../../../../usr/bin/tool").Link("absolute", "/bin/tool");

        using LayeredTree tree = Tree();

        Assert.Equal("/usr/bin/tool", tree.Find("/bin/tool")?.RealPath);
        Assert.Equal("/usr/bin/tool", tree.Find("/up")?.RealPath);
        Assert.Equal("/usr/bin/tool", tree.Find("/absolute")?.RealPath);
        Assert.Equal("/usr/bin/tool", tree.Find("/bin/../bin/./tool")?.RealPath);
    }

    [Fact]
    public void Links_that_lead_to_each_other_lead_to_nothing()
    {
        Top.Link("a", "b").Link("b", "/a").Link("self", "self/x");

        using LayeredTree tree = Tree();

        Assert.Null(tree.Find("/a"));
        Assert.Null(tree.Find("/self"));
    }

    [Theory]
    [InlineData("../../etc/passwd", "/etc/passwd")]
    [InlineData("./etc//passwd", "/etc/passwd")]
    [InlineData("a/../etc/passwd", "/etc/passwd")]
    [InlineData("/etc/passwd", "/etc/passwd")]
    public void No_name_leads_out_of_the_tree(string name, string expected)
    {
        Top.File(name, "x");

        using LayeredTree tree = Tree();

        Assert.Equal(expected, tree.Find(expected)?.RealPath);
    }

    [Fact]
    public void A_whiteout_hides_what_is_below_and_an_opaque_directory_all_of_it()
    {
        Top.File("bin/a", "1").File("bin/b", "2").File("etc/x", "3").File("opt/deep/er", "4");
        _layers.Add(new FakeLayer().File("bin/.wh.a", "").File("etc/y", "4").File("etc/.wh..wh..opq", "").File(".wh.opt", ""));
        _layers.Add(new FakeLayer().File("opt/other", ""));

        using LayeredTree tree = Tree();

        Assert.Null(tree.Find("/bin/a"));
        Assert.NotNull(tree.Find("/bin/b"));
        Assert.Null(tree.Find("/etc/x"));
        Assert.NotNull(tree.Find("/etc/y"));
        Assert.Null(tree.Find("/opt/deep/er"));
        Assert.Equal(["other"], tree.List("/opt"));
        Assert.Equal(["b"], tree.List("/bin"));
    }

    [Fact]
    public void A_directory_above_a_link_hides_it_as_it_does_when_the_layers_are_stacked()
    {
        Top.File("usr/bin/sh", "x").Link("bin", "usr/bin");
        _layers.Add(new FakeLayer().File("bin/app", "y"));

        using LayeredTree tree = Tree();

        Assert.NotNull(tree.Find("/bin/app"));
        Assert.Null(tree.Find("/bin/sh"));
    }

    [Fact]
    public void A_file_that_was_not_kept_is_unreadable_and_not_absent()
    {
        Top.Add("bin/huge", new MemoryNode(MemoryNodeKind.Regular, 0x1ed, 0, 0, 1L << 40)).Add("data", new MemoryNode(MemoryNodeKind.Regular, 0x1a4, 0, 0, 9));

        using LayeredTree tree = Tree();

        Assert.Equal(1L << 40, tree.Find("/bin/huge")?.Size);
        Assert.Throws<UnreadableImageException>(() => tree.Open("/bin/huge")!.Read(0, new byte[10]));
        Assert.Throws<UnreadableImageException>(() => tree.Open("/data")!.Read(0, new byte[10]));
    }

    [Fact]
    public void Of_a_large_program_the_beginning_is_kept_and_of_the_command_everything()
    {
        byte[] large = new byte[20 << 20];
        MemoryNode node = new(MemoryNodeKind.Regular, 0x1ed, 0, 0, large.Length) { Content = large };
        Top.Add("bin/other", node).Add("bin/app", node);

        using LayeredTree tree = Tree(new ExecutionConfig { Cmd = ["app"], Env = ["PATH=/bin"] });

        Assert.Equal(16, tree.Open("/bin/other")!.Read(0, new byte[16]));
        Assert.Throws<UnreadableImageException>(() => tree.Open("/bin/other")!.Read(10 << 20, new byte[16]));
        Assert.Equal(16, tree.Open("/bin/app")!.Read(19 << 20, new byte[16]));
    }

    [Fact]
    public void A_hard_link_is_the_file_that_it_names_and_of_another_layer_unreadable()
    {
        Top.File("bin/a", "text").Add("bin/b", new MemoryNode(MemoryNodeKind.HardLink, 0, 0, 0, 0) { Target = "bin/a" });
        _layers.Add(new FakeLayer().Add("bin/c", new MemoryNode(MemoryNodeKind.HardLink, 0, 0, 0, 0) { Target = "bin/a" }));

        using LayeredTree tree = Tree();

        Assert.Equal(4, tree.Open("/bin/b")?.Length);
        Assert.Throws<UnreadableImageException>(() => tree.Find("/bin/c"));
    }

    [Fact]
    public void Names_and_owners_of_all_files_are_counted()
    {
        Top.File("a/Name", "1").Add("a/owned", new MemoryNode(MemoryNodeKind.Regular, 0x1a4, 172761424, 5, 0)).File("b/hidden", "");
        Top.Add("b/gone", new MemoryNode(MemoryNodeKind.Regular, 0x1a4, 200000000, 5, 0));
        _layers.Add(new FakeLayer().File("a/name", "2").File(".wh.b", ""));

        using LayeredTree tree = Tree();
        TreeFacts facts = tree.ReadTree();

        Assert.Equal((172761424L, "/a/owned"), (facts.HighestUser, facts.Owner));
        Assert.Equal(1, facts.CaseCollisions.Count);
        Assert.Equal(["Name", "name", "owned"], tree.List("/a").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_layer_is_read_no_further_than_to_what_is_asked_for()
    {
        Top.File("bin/sh", "x").File("etc/os-release", "").File("srv/1", "").File("srv/2", "").File("srv/3", "");

        using LayeredTree tree = Tree();

        Assert.NotNull(tree.Find("/etc/os-release"));
        Assert.Equal(2, Top.Taken);
    }

    [Fact]
    public void Where_little_is_left_it_is_read_and_the_last_entry_of_a_name_counts()
    {
        Top.BytesOfEach = 1000;
        Top.File("bin/sh", "good").File("bin/sh", "bad!!");

        using LayeredTree tree = Tree();

        Assert.Equal(5, tree.Find("/bin/sh")?.Size);
    }

    [Fact]
    public void A_layer_below_one_that_answers_is_not_read()
    {
        Top.File("bin/sh", "old").IsOutOfReach = true;
        _layers.Add(new FakeLayer().File("bin/sh", "new"));

        using LayeredTree tree = Tree();

        Assert.Equal("/bin/sh", tree.Find("/bin/sh")?.RealPath);
        Assert.Throws<UnreadableImageException>(() => tree.Find("/bin/bash"));
    }

    [Fact]
    public void What_a_layer_that_was_not_read_may_hide_is_not_known()
    {
        Top.File("bin/sh", "x");
        _layers.Add(new FakeLayer { IsOutOfReach = true });
        _layers.Add(new FakeLayer().File("etc/hostname", ""));

        using LayeredTree tree = Tree();

        Assert.NotNull(tree.Find("/etc/hostname"));
        Assert.Throws<UnreadableImageException>(() => tree.Find("/bin/sh"));
        Assert.Throws<UnreadableImageException>(() => tree.Find("/bin/sh")); // and not absent when it is asked for again
        Assert.Throws<UnreadableImageException>(() => tree.List("/etc"));
        Assert.Throws<UnreadableImageException>(() => tree.ReadTree());
    }

    private LayeredTree Tree(ExecutionConfig? config = null) => new(_layers.Select<FakeLayer, Func<ILayerEntries>>(layer => layer.Open), config);
}
