using OciTool.Images;
using OciTool.Registry.Configuration;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class RegistriesFileTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void Every_field_is_read()
    {
        RegistriesFile file = Parse("""
            unqualified-search-registries = ["quay.io", 'registry.example:5000/']
            credential-helpers = ["containers-auth.json", "vault"]
            short-name-mode = "enforcing"
            additional-layer-store-auth-helper = "unused"

            [[registry]]
            prefix = "example.com/foo"
            location = "internal.example.com/bar/"
            insecure = true
            [[registry.mirror]]
            location = "mirror-0.example/foo"
            [[registry.mirror]]
            location = "mirror-1.example"
            insecure = true
            pull-from-mirror = "digest-only"

            [[registry]]
            location = "blocked.example"
            blocked = true
            mirror-by-digest-only = true
            mirror = [{ location = "mirror-2.example" }]

            [aliases]
            "fedora" = "registry.fedoraproject.org/fedora"
            """);
        Assert.Equal(["quay.io", "registry.example:5000"], file.SearchRegistries);
        Assert.Equal(["containers-auth.json", "vault"], file.CredentialHelpers);
        Assert.Equal(ShortNameMode.Enforcing, file.Mode);
        RegistryTable foo = file.Registries[0];
        Assert.Equal(("example.com/foo", "internal.example.com/bar", true, false), (foo.Prefix, foo.Location, foo.IsInsecure, foo.IsBlocked));
        Assert.Equal(
            [new MirrorTable("mirror-0.example/foo", false, MirrorUse.All), new MirrorTable("mirror-1.example", true, MirrorUse.DigestOnly)],
            foo.Mirrors);
        RegistryTable blocked = file.Registries[1];
        Assert.Equal(("blocked.example", true, true), (blocked.Prefix, blocked.IsBlocked, blocked.MirrorByDigestOnly));
        Assert.Equal([new MirrorTable("mirror-2.example", false, MirrorUse.All)], blocked.Mirrors);
        Assert.Equal(new ShortNameAlias("registry.fedoraproject.org/fedora", "f.conf"), file.Aliases["fedora"]);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Unknown_keys_are_named_with_file_and_line_and_the_rest_holds()
    {
        RegistriesFile file = Parse("""
            unqualified-search = ["quay.io"]
            [[registry]]
            location = "example.com"
            insecrue = true
            [[registry.mirror]]
            location = "mirror.example"
            blocked = true
            [settings]
            a.b = 1
            """);
        Assert.Equal(
            [
                "f.conf:7: unknown key 'blocked' is ignored",
                "f.conf:4: unknown key 'insecrue' is ignored",
                "f.conf:1: unknown key 'unqualified-search' is ignored",
                "f.conf:8: unknown key 'settings' is ignored",
            ],
            _warnings);
        Assert.Single(file.Registries);
    }

    [Theory]
    [InlineData("a = \n", "f.conf:1: not TOML")]
    [InlineData("x = 1\nx = 2\n", "f.conf:2: not TOML")]
    [InlineData("\n[[registry]\n", "f.conf:2: not TOML")]
    [InlineData("\nunqualified-search-registries = 'quay.io'\n", "f.conf:2: 'unqualified-search-registries': must be an array of strings")]
    [InlineData("unqualified-search-registries = ['a', 1]", "must be an array of strings")]
    [InlineData("unqualified-search-registries = ['https://quay.io']", "f.conf:1: 'unqualified-search-registries': 'https://quay.io' begins with a scheme")]
    [InlineData("credential-helpers = true", "f.conf:1: 'credential-helpers': must be an array of strings")]
    [InlineData("short-name-mode = 'strict'", "f.conf:1: 'short-name-mode': 'strict' is not one of enforcing, permissive, disabled")]
    [InlineData("[registry]\nlocation = 'a'", "f.conf:1: 'registry': must be an array of tables, as [[registry]]")]
    [InlineData("\n[[registry]]\ninsecure = true", "f.conf:2: a [[registry]] needs a prefix or a location")]
    [InlineData("[[registry]]\nprefix = 'example.com'", "f.conf:2: 'prefix': it needs a location")]
    [InlineData("[[registry]]\nlocation = 'example.com'\n\ninsecure = 'yes'", "f.conf:4: 'insecure': must be true or false")]
    [InlineData("[[registry]]\nlocation = 'example.com'\nblocked = 1", "f.conf:3: 'blocked': must be true or false")]
    [InlineData("[[registry]]\nlocation = 1", "f.conf:2: 'location': must be a string")]
    [InlineData("[[registry]]\nlocation = 'http://example.com'", "f.conf:2: 'location': 'http://example.com' begins with a scheme")]
    [InlineData("[[registry]]\nprefix = 'a.*.example.com'\nlocation = 'b.example'", "f.conf:2: 'prefix': a wildcard stands at the beginning")]
    [InlineData("[[registry]]\nprefix = '*.example.com/foo'\nlocation = 'b.example'", "f.conf:2: 'prefix': a wildcard stands at the beginning")]
    [InlineData("[[registry]]\nprefix = '*.example.com:5000'\nlocation = 'b.example'", "f.conf:2: 'prefix': a wildcard stands at the beginning")]
    [InlineData("[[registry]]\nlocation = 'b.example'\npull-from-mirror = 'all'", "f.conf:3: 'pull-from-mirror': it belongs into a [[registry.mirror]]")]
    [InlineData("[[registry]]\nlocation = 'b.example'\n[[registry.mirror]]\ninsecure = true", "f.conf:3: a [[registry.mirror]] needs a location")]
    [InlineData("[[registry]]\nlocation = 'b.example'\n[[registry.mirror]]\nlocation = 'm.example'\npull-from-mirror = 'some'", "f.conf:5: 'pull-from-mirror': 'some' is not one of all, digest-only, tag-only")]
    [InlineData("[[registry]]\nlocation = 'b.example'\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = 'm.example'\npull-from-mirror = 'all'", "f.conf:6: 'pull-from-mirror': the registry has mirror-by-digest-only")]
    [InlineData("[[registry]]\nlocation = 'b.example'\ninsecure = true\n[[registry]]\nprefix = 'c.example'\nlocation = 'b.example'", "f.conf: 'b.example' is the location of several registries that differ in 'insecure'")]
    [InlineData("[[registry]]\nlocation = 'b.example'\nblocked = true\n[[registry]]\nprefix = 'c.example'\nlocation = 'b.example'", "differ in 'blocked'")]
    [InlineData("aliases = 3", "f.conf:1: 'aliases': must be a table")]
    [InlineData("[aliases]\nalpine = 1", "f.conf:2: 'alpine': must be a string")]
    [InlineData("[aliases]\n'a.example/b' = 'c.example/d'", "f.conf:2: 'a.example/b': an alias is a name without registry, tag and digest")]
    [InlineData("[aliases]\n'b:1' = 'c.example/d'", "f.conf:2: 'b:1': an alias is a name without")]
    [InlineData("[aliases]\n'b' = 'd'", "f.conf:2: 'b': 'd' must be a name with its registry and without tag and digest")]
    [InlineData("[aliases]\n'b' = 'c.example/d:1'", "f.conf:2: 'b': 'c.example/d:1' must be a name")]
    [InlineData("[aliases]\n'B' = 'c.example/d'", "f.conf:2: 'B': a repository is lower case")]
    [InlineData("[registries.search]\nregistries = ['quay.io']", "f.conf:1: 'registries': this is version 1 of the format, which is not supported")]
    public void A_mistake_is_an_error_with_file_and_line(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<OciException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_old_format_says_where_the_new_one_is_described() => Assert.Contains(
        "containers-registries.conf(5)", Assert.Throws<OciException>(() => Parse("[registries.block]\nregistries = []")).Hint, StringComparison.Ordinal);

    [Fact]
    public void Damaged_files_are_either_read_or_refused_in_one_line()
    {
        const string Whole = """
            unqualified-search-registries = ["a.example"]
            [[registry]]
            prefix = "*.example.com"
            blocked = true
            [[registry.mirror]]
            location = "m.example"
            [aliases]
            "x" = "y.example/z"
            """;
        const string Signs = "[]{}\"'=.#\n\\*\0\u0001é\u202e0";
        Random random = new(4);
        for (int round = 0; round < 5000; round++)
        {
            char[] text = Whole.ToCharArray();
            for (int change = random.Next(1, 6); change > 0; change--)
            {
                text[random.Next(text.Length)] = Signs[random.Next(Signs.Length)];
            }

            string damaged = new string(text)[..random.Next(text.Length + 1)];
            try
            {
                Parse(damaged);
            }
            catch (OciException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                Assert.DoesNotContain('\u202e', e.Message);
            }
        }
    }

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.StartsWith("f.conf", Assert.Throws<OciException>(() => Parse($"a = {new string('[', 100_000)}")).Message, StringComparison.Ordinal);

    private RegistriesFile Parse(string text) => RegistriesFile.Parse("f.conf", text, _warnings.Add);
}
