using OciTool.Linux;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

public sealed class TreeChangesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");

    public TreeChangesTests()
    {
        foreach (string side in (ReadOnlySpan<string>)["old", "new"])
        {
            Directory.CreateDirectory(In($"{side}/etc/sub"));
            Write($"{side}/etc/same", "1");
            Write($"{side}/etc/sub/deep", "1");
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Equal_trees_have_no_changes() => Assert.Empty(Find());

    [Fact]
    public void What_is_new_is_told_with_all_that_is_below_it_and_what_is_gone_is_told_once()
    {
        Directory.CreateDirectory(In("new/d/e"));
        Directory.Delete(In("new/etc/sub"), recursive: true);

        Assert.Equal(["Added /d", "Added /d/e", "Changed /etc", "Deleted /etc/sub"], Find());
    }

    [Fact]
    public void A_change_is_told_of_the_file_and_of_the_directories_above_it()
    {
        Write("new/etc/sub/deep", "longer");

        Assert.Equal(["Changed /etc", "Changed /etc/sub", "Changed /etc/sub/deep"], Find());
    }

    [Fact]
    public void A_mode_is_a_change_and_the_time_of_a_directory_is_none()
    {
        File.SetUnixFileMode(In("new/etc/same"), UnixFileMode.UserRead);
        Directory.SetLastWriteTimeUtc(In("new/etc/sub"), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        Assert.Equal(["Changed /etc", "Changed /etc/same"], Find());
    }

    private string In(string path) => Path.Join(_directory.FullName, path);

    private void Write(string path, string content)
    {
        File.WriteAllText(In(path), content);
        File.SetLastWriteTimeUtc(In(path), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
    }

    private string[] Find()
    {
        using RootDirectory earlier = new(In("old"));
        using RootDirectory later = new(In("new"));
        return [.. TreeChanges.Find(earlier, later).Select(change => $"{change.Kind} {change.Path}")];
    }
}
