using OciTool.Images;
using OciTool.Registry;
using OciTool.Registry.Configuration;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class RegistriesConfTests : IDisposable
{
    private const string OfTheManual = """
        unqualified-search-registries = ["example.com"]

        [[registry]]
        prefix = "example.com/foo"
        insecure = false
        blocked = false
        location = "internal-registry-for-example.com/bar"

        [[registry.mirror]]
        location = "example-mirror-0.local/mirror-for-foo"

        [[registry.mirror]]
        location = "example-mirror-1.local/mirrors/foo"
        insecure = true

        [[registry]]
        location = "registry.com"

        [[registry.mirror]]
        location = "mirror.registry.com"
        """;

    private static readonly string Digest = $"sha256:{new string('a', 64)}";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");
    private readonly Dictionary<string, string> _environment = [];
    private readonly List<string> _warnings = [];

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("example.com", "example.com/foo", true)]
    [InlineData("example.com", "example.com:5000/foo", false)]
    [InlineData("example.com:5000", "example.com:5000/foo", true)]
    [InlineData("example.com", "example.community/foo", false)]
    [InlineData("example.com/foo", "example.com/foo:1", true)]
    [InlineData("example.com/foo", "example.com/foo/bar:1", true)]
    [InlineData("example.com/foo", "example.com/foobar:1", false)]
    [InlineData("example.com/foo:1", "example.com/foo:1", true)]
    [InlineData("example.com/foo:1", "example.com/foo:12", false)]
    [InlineData("example.com/foo", "example.com/foo@sha256:aa", true)]
    [InlineData("*.example.com", "a.example.com/foo", true)]
    [InlineData("*.example.com", "a.b.example.com:5000/foo", true)]
    [InlineData("*.example.com", "example.com/foo", false)]
    [InlineData("*.example.com", "a.example.com.evil.org/foo", false)]
    [InlineData("*.example.com", "evil.org/a.example.com", false)]
    public void A_prefix_is_about_names_that_begin_with_it_at_a_border(string prefix, string name, bool expected) =>
        Assert.Equal(expected, new RegistryTable(prefix, "x.example", "f").Match(name) >= 0);

    [Theory]
    [InlineData("example.com/foo/image:latest", "example-mirror-0.local/mirror-for-foo/image:latest", "example-mirror-1.local/mirrors/foo/image:latest", "internal-registry-for-example.com/bar/image:latest")]
    [InlineData("example.com/other:1", "example.com/other:1")]
    [InlineData("registry.com/image:latest", "mirror.registry.com/image:latest", "registry.com/image:latest")]
    public void The_examples_of_the_manual_page_hold(string name, params string[] expected) =>
        Assert.Equal(expected, Sources(OfTheManual, name));

    [Fact]
    public void The_mirrors_own_word_on_tls_counts() => Assert.Equal(
        [false, true, false], Conf(OfTheManual).PullSources(Reference.Parse("example.com/foo/image")).Select(source => source.IsInsecure!.Value));

    [Theory]
    [InlineData("all", "tag:1", true)]
    [InlineData("all", "digest@", true)]
    [InlineData("digest-only", "tag:1", false)]
    [InlineData("digest-only", "digest@", true)]
    [InlineData("tag-only", "tag:1", true)]
    [InlineData("tag-only", "digest@", false)]
    public void A_mirror_may_be_for_tags_or_digests_only(string use, string rest, bool expected)
    {
        string[] sources = Sources(
            $"[[registry]]\nlocation = 'a.example'\n[[registry.mirror]]\nlocation = 'm.example'\npull-from-mirror = '{use}'",
            $"a.example/{rest.Replace("@", $"@{Digest}", StringComparison.Ordinal)}");
        Assert.Equal(expected ? 2 : 1, sources.Length);
        Assert.StartsWith("a.example/", sources[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Mirror_by_digest_only_is_about_all_mirrors()
    {
        const string Text = "[[registry]]\nlocation = 'a.example'\nmirror-by-digest-only = true\nmirror = [{location = 'm.example'}]";
        Assert.Equal(["a.example/x:1"], Sources(Text, "a.example/x:1"));
        Assert.Equal([$"m.example/x@{Digest}", $"a.example/x@{Digest}"], Sources(Text, $"a.example/x@{Digest}"));
    }

    [Theory]
    [InlineData("prefix = '*.example.com'", "a.b.example.com/x:1", "a.b.example.com/x:1")]
    [InlineData("prefix = '*.example.com'\nlocation = 'b.example/sub'", "a.example.com/x:1", "b.example/sub/x:1")]
    [InlineData("prefix = 'docker.io/library'\nlocation = 'hub.example/library'", "alpine", "hub.example/library/alpine:latest")]
    [InlineData("prefix = 'docker.io'\nlocation = 'hub.example:5000'", "user/app:2", "hub.example:5000/user/app:2")]
    [InlineData("prefix = 'a.example/x:1'\nlocation = 'b.example/y:2'", "a.example/x:1", "b.example/y:2")]
    [InlineData("prefix = 'a.example/x'\nlocation = 'localhost/y'", "a.example/x", "localhost/y:latest")]
    public void A_location_takes_the_place_of_the_prefix(string table, string name, string expected) =>
        Assert.Equal([expected], Sources($"[[registry]]\n{table}", name));

    [Fact]
    public void The_longest_prefix_wins()
    {
        const string Text = "[[registry]]\nlocation = 'a.example/x'\nblocked = true\n[[registry]]\nlocation = 'a.example/x/y'\n[[registry]]\nlocation = 'a.example'";
        Assert.Equal(["a.example/x/y/z:latest"], Sources(Text, "a.example/x/y/z"));
        Assert.Equal(["a.example/xx:latest"], Sources(Text, "a.example/xx"));
        Assert.Equal("registry a.example/x is blocked in f.conf", Assert.Throws<RegistryException>(() => Sources(Text, "a.example/x/z")).Message);
    }

    [Fact]
    public void A_location_without_a_registry_is_not_taken_for_a_repository_of_docker_io()
    {
        OciException failure = Assert.Throws<OciException>(() => Sources("[[registry]]\nprefix = 'a.example'\nlocation = 'mirror'", "a.example/x"));
        Assert.StartsWith("f.conf: location 'mirror' of registry 'a.example': its first part must be a registry", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_stands_in_a_later_file_wins_by_prefix_by_alias_and_as_a_whole()
    {
        Write("etc/registries.conf", """
            unqualified-search-registries = ["one.example", "two.example"]
            short-name-mode = "disabled"
            [[registry]]
            location = "a.example"
            insecure = true
            [[registry]]
            location = "b.example"
            [aliases]
            "x" = "one.example/x"
            "y" = "one.example/y"
            "z" = "one.example/z"
            """);
        Write("etc/registries.conf.d/20.conf", """
            short-name-mode = "enforcing"
            [aliases]
            "y" = "two.example/y"
            "z" = ""
            """);
        Write("etc/registries.conf.d/10.conf", """
            short-name-mode = "permissive"
            [[registry]]
            location = "a.example"
            blocked = true
            """);
        Write("etc/registries.conf.d/ignored.txt", "this is no TOML");
        Write("home/.config/containers/registries.conf.d/00.conf", "unqualified-search-registries = [\"three.example\"]");
        Write("var/containers/short-name-aliases.conf", "[aliases]\n\"w\" = \"four.example/w\"");
        Write("home/.cache/containers/short-name-aliases.conf", "[aliases]\n\"w\" = \"four.example/w\"");

        RegistriesConf conf = Read();

        Assert.Equal(["three.example"], conf.SearchRegistries);
        Assert.Equal(_directory.FullName + "/home/.config/containers/registries.conf.d/00.conf", conf.SearchFile);
        Assert.Equal(ShortNameMode.Enforcing, conf.Mode);
        Assert.True(conf.Find("a.example/x") is { IsBlocked: true, IsInsecure: false });
        Assert.NotNull(conf.Find("b.example/x"));
        Assert.Equal(
            "w=four.example/w x=one.example/x y=two.example/y",
            string.Join(' ', conf.Aliases.OrderBy(alias => alias.Key).Select(alias => $"{alias.Key}={alias.Value.Target}")));
    }

    [Fact]
    public void The_users_file_takes_the_place_of_all_of_the_systems()
    {
        Write("etc/registries.conf", "unqualified-search-registries = ['one.example']");
        Write("etc/registries.conf.d/10.conf", "short-name-mode = 'enforcing'");
        Write("home/.config/containers/registries.conf", "");
        Write("home/.config/containers/registries.conf.d/10.conf", "[[registry]]\nlocation = 'a.example'");
        RegistriesConf conf = Read();
        Assert.Empty(conf.SearchRegistries);
        Assert.Equal(ShortNameMode.Permissive, conf.Mode);
        Assert.NotNull(conf.Find("a.example/x"));
    }

    [Fact]
    public void The_command_line_comes_before_the_environment_and_that_before_all_else()
    {
        Write("etc/registries.conf", "unqualified-search-registries = ['one.example']");
        Write("home/.config/containers/registries.conf", "unqualified-search-registries = ['two.example']");
        Write("home/.config/containers/registries.conf.d/10.conf", "short-name-mode = 'enforcing'");
        Write("env.conf", "unqualified-search-registries = ['three.example']");
        Write("option.conf", "unqualified-search-registries = ['four.example']");
        _environment["XDG_CONFIG_HOME"] = $"{_directory.FullName}/home/.config";
        Assert.Equal(["two.example"], Read().SearchRegistries);
        _environment["CONTAINERS_REGISTRIES_CONF"] = $"{_directory.FullName}/env.conf";
        Assert.Equal(["three.example"], Read().SearchRegistries);
        Assert.Equal(ShortNameMode.Enforcing, Read().Mode);
        RegistriesConf conf = Read(options => options with
        {
            RegistriesConf = $"{_directory.FullName}/option.conf",
            RegistriesConfDirectory = $"{_directory.FullName}/none",
        });
        Assert.Equal(["four.example"], conf.SearchRegistries);
        Assert.Equal(ShortNameMode.Permissive, conf.Mode);
    }

    [Fact]
    public void A_file_that_was_asked_for_must_be_there()
    {
        _environment["CONTAINERS_REGISTRIES_CONF"] = "/nonexistent/registries.conf";
        Assert.Equal("registries file /nonexistent/registries.conf: no such file", Assert.Throws<OciException>(() => Read()).Message);
    }

    [Fact]
    public void A_machine_without_any_file_has_an_empty_configuration()
    {
        RegistriesConf conf = Read();
        Assert.Equal(["a.example/x:latest"], conf.PullSources(Reference.Parse("a.example/x")).Select(source => source.Reference.ToString()));
        Assert.Empty(_warnings);
    }

    [Fact]
    public void A_file_that_is_not_UTF_8_is_refused()
    {
        Write("etc/registries.conf", "");
        File.WriteAllBytes($"{_directory.FullName}/etc/registries.conf", [(byte)'#', 0xff, 0xfe]);
        Assert.Equal($"{_directory.FullName}/etc/registries.conf: not UTF-8", Assert.Throws<OciException>(() => Read()).Message);
    }

    private static RegistriesConf Conf(string text) => RegistriesConf.Merge(RegistriesFile.Parse("f.conf", text, _ => { }));

    private static string[] Sources(string text, string name) =>
        [.. Conf(text).PullSources(Reference.Parse(name)).Select(source => source.Reference.ToString())];

    private void Write(string path, string text)
    {
        FileInfo file = new(Path.Join(_directory.FullName, path));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, text);
    }

    private RegistriesConf Read(Func<RegistryOptions, RegistryOptions>? change = null)
    {
        _environment["HOME"] = $"{_directory.FullName}/home";
        RegistryOptions options = new()
        {
            Environment = name => _environment.GetValueOrDefault(name),
            SystemConfiguration = $"{_directory.FullName}/etc",
            SystemCache = $"{_directory.FullName}/var",
        };
        return RegistriesConf.Read(change is null ? options : change(options), _warnings.Add);
    }
}
