using System.Text;
using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

public sealed class MemoryTreeTests
{
    private readonly MemoryTree _tree = new();

    public MemoryTreeTests() => _tree.BeginLayer();

    [Fact]
    public void Links_are_followed_inside_the_tree_whatever_they_say()
    {
        AddFile("usr/bin/tool", "x");
        AddLink("bin", "usr/bin");
        AddLink("up", "../../../../usr/bin/tool");
        AddLink("absolute", "/bin/tool");

        Assert.Equal("/usr/bin/tool", _tree.Find("/bin/tool")?.RealPath);
        Assert.Equal("/usr/bin/tool", _tree.Find("/up")?.RealPath);
        Assert.Equal("/usr/bin/tool", _tree.Find("/absolute")?.RealPath);
        Assert.Equal("/usr/bin/tool", _tree.Find("/bin/../bin/./tool")?.RealPath);
    }

    [Fact]
    public void Links_that_lead_to_each_other_lead_to_nothing()
    {
        AddLink("a", "b");
        AddLink("b", "/a");
        AddLink("self", "self/x");

        Assert.Null(_tree.Find("/a"));
        Assert.Null(_tree.Find("/self"));
    }

    [Theory]
    [InlineData("../../etc/passwd", "/etc/passwd")]
    [InlineData("./etc//passwd", "/etc/passwd")]
    [InlineData("a/../etc/passwd", "/etc/passwd")]
    [InlineData("/etc/passwd", "/etc/passwd")]
    public void No_name_leads_out_of_the_tree(string name, string expected)
    {
        AddFile(name, "x");

        Assert.Equal(expected, _tree.Find(expected)?.RealPath);
    }

    [Fact]
    public void A_whiteout_hides_what_is_below_and_an_opaque_directory_all_of_it()
    {
        AddFile("bin/a", "1");
        AddFile("bin/b", "2");
        AddFile("etc/x", "3");
        _tree.BeginLayer();
        AddFile("bin/.wh.a", "");
        AddFile("etc/y", "4");
        AddFile("etc/.wh..wh..opq", "");

        Assert.Null(_tree.Find("/bin/a"));
        Assert.NotNull(_tree.Find("/bin/b"));
        Assert.Null(_tree.Find("/etc/x"));
        Assert.NotNull(_tree.Find("/etc/y"));
    }

    [Fact]
    public void A_file_that_was_not_kept_is_unreadable_and_not_absent()
    {
        _tree.Add("bin/huge", new MemoryNode(MemoryNodeKind.Regular, 0x1ed, 0, 0, 1L << 40));

        Assert.False(_tree.Wants("bin/huge", 0x1ed, 1L << 40));
        Assert.Throws<UnreadableImageException>(() => _tree.Open("/bin/huge"));
    }

    [Fact]
    public void A_hard_link_is_the_file_that_it_names()
    {
        AddFile("bin/a", "text");
        _tree.Add("bin/b", new MemoryNode(MemoryNodeKind.HardLink, 0, 0, 0, 0) { Target = "bin/a" });

        Assert.Equal(4, _tree.Open("/bin/b")?.Length);
    }

    [Fact]
    public void Names_and_owners_of_all_files_are_counted()
    {
        AddFile("a/Name", "1");
        AddFile("a/name", "2");
        _tree.Add("a/owned", new MemoryNode(MemoryNodeKind.Regular, 0x1a4, 172761424, 5, 0) { Content = [] });

        TreeFacts facts = _tree.ReadTree();

        Assert.Equal((172761424L, "/a/owned"), (facts.HighestUser, facts.Owner));
        Assert.Equal(1, facts.CaseCollisions.Count);
        Assert.Equal(["Name", "name", "owned"], _tree.List("/a").Order(StringComparer.Ordinal));
    }

    private void AddFile(string name, string content) => _tree.Add(
        name, new MemoryNode(MemoryNodeKind.Regular, 0x1ed, 0, 0, content.Length) { Content = Encoding.UTF8.GetBytes(content) });

    private void AddLink(string name, string target) => _tree.Add(name, new MemoryNode(MemoryNodeKind.Link, 0x1ff, 0, 0, 0) { Target = target });
}
