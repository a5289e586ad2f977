using OciTool.Images;
using OciTool.Registry;
using OciTool.Registry.Configuration;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class ShortNameTests : IDisposable
{
    private const string Two = "unqualified-search-registries = ['one.example', 'docker.io']\n";

    private static readonly string Digest = $"sha256:{new string('a', 64)}";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("alpine", "docker.io/library/alpine:latest")]
    [InlineData("user/app:1", "docker.io/user/app:1")]
    public void Without_search_registries_a_short_name_means_docker_io(string name, string expected) =>
        Assert.Equal([expected], Resolve("", name));

    [Theory]
    [InlineData("quay.io/fedora/fedora:34", "quay.io/fedora/fedora:34")]
    [InlineData("localhost/x", "localhost/x:latest")]
    [InlineData("localhost:5000/x", "localhost:5000/x:latest")]
    [InlineData("docker.io/alpine", "docker.io/library/alpine:latest")]
    [InlineData("docker://alpine", "docker.io/library/alpine:latest")]
    public void A_name_with_its_registry_is_left_alone(string name, string expected) =>
        Assert.Equal([expected], Resolve(Two + "[aliases]\n'x' = 'a.example/x'\n'alpine' = 'a.example/x'", name));

    [Theory]
    [InlineData("x", "a.example/b/c:latest")]
    [InlineData("x:1", "a.example/b/c:1")]
    [InlineData("x@DIGEST", "a.example/b/c@DIGEST")]
    [InlineData("x:1@DIGEST", "a.example/b/c:1@DIGEST")]
    [InlineData("y/x:1", "a.example/d:1")]
    public void An_alias_keeps_tag_and_digest(string name, string expected) => Assert.Equal(
        [expected.Replace("DIGEST", Digest, StringComparison.Ordinal)],
        Resolve(Two + "[aliases]\n'x' = 'a.example/b/c'\n'y/x' = 'a.example/d'", name.Replace("DIGEST", Digest, StringComparison.Ordinal)));

    [Fact]
    public void One_search_registry_is_taken_in_every_mode()
    {
        foreach (string mode in new[] { "", "permissive", "enforcing", "disabled" })
        {
            Assert.Equal(["one.example/x:1"], Resolve($"unqualified-search-registries = ['one.example']\nshort-name-mode = '{mode}'", "x:1"));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("permissive")]
    [InlineData("disabled")]
    public void Without_a_terminal_all_are_tried_in_their_order(string mode) =>
        Assert.Equal(["one.example/x:latest", "docker.io/library/x:latest"], Resolve($"{Two}short-name-mode = '{mode}'", "x"));

    [Fact]
    public void In_the_mode_enforcing_the_error_lists_the_whole_names()
    {
        OciException failure = Assert.Throws<OciException>(() => Resolve($"{Two}short-name-mode = 'enforcing'", "alpine"));
        Assert.Equal("short-name \"alpine\" did not resolve to an alias, and without a terminal nobody can choose between "
            + "one.example/alpine:latest, docker.io/library/alpine:latest", failure.Message);
        Assert.Contains("f.conf", failure.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("permissive")]
    [InlineData("enforcing")]
    public void At_a_terminal_the_user_chooses_and_is_not_asked_again(string mode)
    {
        RegistriesConf conf = Conf($"{Two}short-name-mode = '{mode}'");
        ResolvedName chosen = ShortNames.Resolve("x:1", conf, candidates => candidates[1]);
        Assert.Equal(["docker.io/library/x:1"], chosen.Candidates.Select(candidate => candidate.ToString()));

        RegistryOptions options = Options();
        chosen.Remember(options);
        ShortNames.Resolve("y", conf, candidates => candidates[0]).Remember(options);

        IReadOnlyDictionary<string, ShortNameAlias> aliases = RegistriesConf.Read(options, _ => { }).Aliases;
        Assert.Equal(("docker.io/library/x", "one.example/y"), (aliases["x"].Target, aliases["y"].Target));
    }

    [Fact]
    public void In_the_mode_disabled_nobody_is_asked() => Assert.Equal(
        2, ShortNames.Resolve("x", Conf($"{Two}short-name-mode = 'disabled'"), _ => throw new InvalidOperationException()).Candidates.Count);

    [Fact]
    public void What_was_not_chosen_is_not_noted()
    {
        RegistryOptions options = Options();
        ShortNames.Resolve("x", Conf("unqualified-search-registries = ['one.example']"), choose: null).Remember(options);
        Assert.False(File.Exists(ShortNameCache.PathOf(options)));
    }

    [Fact]
    public void A_search_registry_that_is_none_is_named_with_its_file() => Assert.Equal(
        "f.conf: unqualified-search-registries: 'hub': it is not a host with a dot or a port, or localhost",
        Assert.Throws<OciException>(() => Resolve("unqualified-search-registries = ['hub']", "x")).Message);

    private static RegistriesConf Conf(string text) => RegistriesConf.Merge(RegistriesFile.Parse("f.conf", text, _ => { }));

    private static string[] Resolve(string conf, string name) =>
        [.. ShortNames.Resolve(name, Conf(conf), choose: null).Candidates.Select(candidate => candidate.ToString())];

    private RegistryOptions Options() => new()
    {
        Environment = name => name == "HOME" ? $"{_directory.FullName}/home" : null,
        SystemConfiguration = $"{_directory.FullName}/etc",
        SystemCache = $"{_directory.FullName}/var",
    };
}
