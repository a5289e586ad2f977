using OciTool.Images;
using OciTool.Registry.Configuration;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>Where the store of podman is, as its files and the environment say.</summary>
public sealed class StorageConfTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");
    private readonly Dictionary<string, string> _environment = new() { ["HOME"] = "/home/u", ["USER"] = "u" };

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(true, "/var/lib/containers/storage")]
    [InlineData(false, "/home/u/.local/share/containers/storage")]
    public void Where_nothing_is_said_it_is_where_podman_has_it(bool isPrivileged, string root) =>
        Assert.Equal((root, null), (Read(isPrivileged).GraphRoot, Read(isPrivileged).Driver));

    [Fact]
    public void The_first_file_of_the_system_says_it()
    {
        Write("etc", """
            [storage]
            driver = "overlay" # as ever
            graphroot = "/srv/store"
            [storage.options]
            size = 5
            additionalimagestores = [
              "/more", # read only
              "/most",
            ]
            """);
        Write("usr", "[storage]\ngraphroot = \"/other\"\n");

        StorageConf conf = Read(isPrivileged: true);

        Assert.Equal(("/srv/store", "overlay"), (conf.GraphRoot, conf.Driver));
        Assert.Equal(["/more", "/most"], conf.Additional);
    }

    [Fact]
    public void Without_root_the_systems_store_is_not_ours_but_its_rule_for_users_is()
    {
        Write("etc", "[storage]\ngraphroot = \"/srv/store\"\nrootless_storage_path = \"/srv/$USER/store\"\n");
        Assert.Equal("/srv/u/store", Read(isPrivileged: false).GraphRoot);

        _environment["XDG_CONFIG_HOME"] = _directory.FullName;
        Directory.CreateDirectory(Path.Join(_directory.FullName, "containers"));
        Write("containers/storage.conf", "[storage]\ngraphroot = \"$HOME/store\"\n");
        Assert.Equal("/home/u/store", Read(isPrivileged: false).GraphRoot);
        Assert.Equal("/srv/store", Read(isPrivileged: true).GraphRoot);
    }

    [Fact]
    public void The_environment_names_a_file_and_a_driver_and_tells_a_namespace_of_a_user()
    {
        _environment["CONTAINERS_STORAGE_CONF"] = Write("own", "[storage]\ngraphroot = \"/own\"\nimagestore = \"/images\"\n");
        _environment["STORAGE_DRIVER"] = "vfs";
        StorageConf conf = Read(isPrivileged: true);
        Assert.Equal(("/own", "vfs"), (conf.GraphRoot, conf.Driver));
        Assert.Equal(["/images"], conf.Additional);

        _environment.Remove("CONTAINERS_STORAGE_CONF");
        _environment["_CONTAINERS_ROOTLESS_UID"] = "1000";
        Assert.Equal("/home/u/.local/share/containers/storage", Read(isPrivileged: true).GraphRoot);
    }

    [Fact]
    public void A_file_that_is_named_and_is_not_there_is_an_error()
    {
        _environment["CONTAINERS_STORAGE_CONF"] = "/not/there";

        Assert.Contains("CONTAINERS_STORAGE_CONF", Assert.Throws<OciException>(() => Read(isPrivileged: true)).Message, StringComparison.Ordinal);
    }

    private StorageConf Read(bool isPrivileged) => StorageConf.Read(
        _environment.GetValueOrDefault, isPrivileged, [Path.Join(_directory.FullName, "etc"), Path.Join(_directory.FullName, "usr")]);

    private string Write(string name, string text)
    {
        string path = Path.Join(_directory.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
