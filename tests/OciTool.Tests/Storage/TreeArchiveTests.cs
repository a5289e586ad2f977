using System.Text;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Storage.Tar;
using OciTool.Tests.Tar;
using Xunit;

namespace OciTool.Tests.Storage;

public sealed class TreeArchiveTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");
    private readonly List<string> _warnings = [];

    private string Top => _directory.FullName;

    public void Dispose() => DirectoryTree.Remove(Top);

    [Fact]
    public void Names_are_sorted_by_bytes_and_a_directory_stands_before_its_content()
    {
        File.WriteAllText(In("b"), "2");
        Directory.CreateDirectory(In("a"));
        File.WriteAllText(In("a/z"), "1");
        File.WriteAllText(In("a/B"), "1");
        File.WriteAllText(In("a.txt"), "3");

        Assert.Equal(["a/", "a/B", "a/z", "a.txt", "b"], Listing.Names(Tree()));
    }

    [Fact]
    public void A_whiteout_of_overlayfs_becomes_one_of_a_layer()
    {
        Directory.CreateDirectory(In("etc"));
        using (RootDirectory root = new(In("etc")))
        using (DirectoryDescriptor directory = DirectoryDescriptor.Of(root))
        {
            Assert.Equal(Errno.None, directory.MakeDevice("gone\0"u8, isBlock: false, 0, 0));
        }

        Assert.Equal(["etc/", "etc/.wh.gone"], Listing.Names(Layer()));
        Assert.StartsWith("RegularFile etc/.wh.gone -> ", Listing.Of(Layer())[1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_opaque_directory_hides_what_is_below_it_and_its_mark_is_no_attribute()
    {
        Directory.CreateDirectory(In("new"));
        SetXattr("new", "user.overlay.opaque\0"u8, "y"u8);
        SetXattr("new", "user.kept\0"u8, "1"u8);

        string[] entries = [.. Listing.Of(Layer())];

        Assert.Equal(["new/", "new/.wh..wh..opq"], Listing.Names(Layer()));
        Assert.EndsWith("[user.kept=1]", entries[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_redirected_directory_is_refused_and_not_written_half()
    {
        Directory.CreateDirectory(In("moved"));
        SetXattr("moved", "user.overlay.redirect\0"u8, "/old"u8);

        OciTool.Images.OciException failure = Assert.Throws<OciTool.Images.OciException>(() => Layer());

        Assert.Contains("'/moved'", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(failure.Hint);
    }

    [Fact]
    public void A_name_that_would_be_a_whiteout_is_left_out_with_a_warning()
    {
        File.WriteAllText(In(".wh.passwd"), "");
        File.WriteAllText(In("passwd"), "");

        Assert.Equal(["passwd"], Listing.Names(Layer()));
        Assert.Contains(".wh.passwd", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_names_of_one_file_are_a_file_and_a_link_to_it()
    {
        File.WriteAllText(In("first"), "once");
        using (RootDirectory root = new(Top))
        using (DirectoryDescriptor directory = DirectoryDescriptor.Of(root))
        {
            Assert.Equal(Errno.None, directory.Link(directory, "first\0"u8, "second\0"u8));
        }

        List<string> entries = Listing.Of(Tree());

        Assert.StartsWith("RegularFile first", entries[0], StringComparison.Ordinal);
        Assert.StartsWith("HardLink second -> first", entries[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Long_names_large_owners_and_bytes_that_are_no_text_come_back_as_they_were()
    {
        byte[] name = [.. "d/"u8, .. Enumerable.Repeat((byte)0xe4, 200)];
        using MemoryStream archive = new();
        TarWriter writer = new(archive);
        writer.Add(new TarOutputEntry(name, '2') { Link = [.. Enumerable.Repeat((byte)'x', 300)], Uid = 4_000_000_000, Gid = 3_000_000, Modified = -5 });
        writer.Add(new TarOutputEntry("plain"u8.ToArray(), '0') { Size = 3, Mode = 0x1ff, Xattrs = [("user.n"u8.ToArray(), "a\nb\0c"u8.ToArray())] });
        writer.Write("abc"u8);
        writer.Pad();
        writer.Finish();

        List<string> entries = Listing.Of(archive.ToArray());

        Assert.Equal(0, archive.Length % 10240);
        Assert.Contains(Encoding.Latin1.GetString(name), entries[0], StringComparison.Ordinal);
        Assert.Contains(new string('x', 300), entries[0], StringComparison.Ordinal);
        Assert.Contains("4000000000:3000000", entries[0], StringComparison.Ordinal);
        Assert.Contains(" -5.0", entries[0], StringComparison.Ordinal);
        Assert.Contains("[user.n=a\nb\0c]", entries[1], StringComparison.Ordinal);
        Assert.EndsWith("abc", entries[1], StringComparison.Ordinal);
    }

    [Fact]
    public void No_time_is_later_than_the_wished_one_so_the_bytes_do_not_depend_on_the_clock()
    {
        File.WriteAllText(In("a"), "x");
        byte[] first = Tree(latest: 1_000_000_000);
        File.SetLastWriteTimeUtc(In("a"), new DateTime(2031, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.Equal(first, Tree(latest: 1_000_000_000));
        Assert.Contains(" 1000000000.0", Listing.Of(first)[0], StringComparison.Ordinal);
    }

    private string In(string name) => Path.Join(Top, name);

    private void SetXattr(string path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        using RootDirectory root = new(Top);
        using DirectoryDescriptor directory = DirectoryDescriptor.Of(root);
        Assert.Equal(Errno.None, directory.OpenDirectoryFile(Encoding.UTF8.GetBytes(path + "\0"), LinkRule.Refuse, out OpenedFile file));
        using (file)
        {
            Assert.Equal(Errno.None, file.SetXattr(name, value));
        }
    }

    private byte[] Tree(long? latest = null)
    {
        using RootDirectory root = new(Top);
        using MemoryStream archive = new();
        new TreeArchive(archive, _warnings.Add, latest).WriteTree(root, withRoot: false);
        return archive.ToArray();
    }

    private byte[] Layer()
    {
        _warnings.Clear();
        using RootDirectory root = new(Top);
        using MemoryStream archive = new();
        new TreeArchive(archive, _warnings.Add, latest: null).WriteLayer(root, withRoot: false);
        return archive.ToArray();
    }
}
