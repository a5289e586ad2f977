using OciTool.Images;

namespace OciTool.Registry.Configuration;

/// <summary>One file in version 2 of the format of containers-registries.conf(5).</summary>
/// <param name="Path">The file.</param>
internal sealed record RegistriesFile(string Path)
{
    /// <summary>Its <c>[[registry]]</c> tables, in their order.</summary>
    internal IReadOnlyList<RegistryTable> Registries { get; private init; } = [];

    /// <summary>Where short names are looked for; null when the file does not say.</summary>
    internal IReadOnlyList<string>? SearchRegistries { get; private init; }

    /// <summary>Whom credentials are asked from; null when the file does not say.</summary>
    internal IReadOnlyList<string>? CredentialHelpers { get; private init; }

    /// <summary>The mode of short names; null when the file does not say.</summary>
    internal ShortNameMode? Mode { get; private init; }

    /// <summary>Short names and what they stand for.</summary>
    internal IReadOnlyDictionary<string, ShortNameAlias> Aliases { get; private init; } = new Dictionary<string, ShortNameAlias>();

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="warn">Told of unknown keys.</param>
    /// <returns>Null when there is no such file.</returns>
    /// <exception cref="OciException">A value is wrong; the message says in which line.</exception>
    internal static RegistriesFile? Read(string path, Action<string> warn) =>
        TomlTable.ReadFile(path) is { } table ? From(path, table, warn) : null;

    /// <summary>The same for a text.</summary>
    internal static RegistriesFile Parse(string path, string text, Action<string> warn) =>
        From(path, TomlTable.Parse(path, text), warn);

    private static RegistriesFile From(string path, TomlTable root, Action<string> warn)
    {
        if (root.Keys.Contains("registries"))
        {
            OciException old = root.Wrong("registries", "this is version 1 of the format, which is not supported");
            throw new OciException(old.Message) { Hint = "write it as [[registry]] tables: see containers-registries.conf(5)" };
        }

        _ = root.Text("additional-layer-store-auth-helper"); // there is no such store here
        RegistriesFile file = new(path)
        {
            Registries = [.. root.Tables("registry").Select(table => Registry(path, table, warn))],
            SearchRegistries = root.Texts("unqualified-search-registries") is { } search
                ? [.. search.Select(name => Location(root, "unqualified-search-registries", name))]
                : null,
            CredentialHelpers = root.Texts("credential-helpers"),
            Mode = root.Text("short-name-mode") switch
            {
                null or "" => null,
                "permissive" => ShortNameMode.Permissive,
                "enforcing" => ShortNameMode.Enforcing,
                "disabled" => ShortNameMode.Disabled,
                { } other => throw root.Wrong(
                    "short-name-mode", $"'{Printable.Shorten(other, 64)}' is not one of enforcing, permissive, disabled"),
            },
            Aliases = root.Table("aliases") is { } aliases
                ? aliases.Keys.ToDictionary(name => name, name => Alias(path, aliases, name))
                : new Dictionary<string, ShortNameAlias>(),
        };
        root.WarnOfUnknown(warn);
        RequireOneWordForOneLocation(file);
        return file;
    }

    private static RegistryTable Registry(string path, TomlTable table, Action<string> warn)
    {
        string location = Location(table, "location", table.Text("location") ?? "");
        string prefix = Location(table, "prefix", table.Text("prefix") ?? "");
        if (prefix.Length == 0 && location.Length == 0)
        {
            throw new OciException($"{table.Where}: a [[registry]] needs a prefix or a location");
        }

        if (prefix.LastIndexOf('*') > 0 || (prefix.StartsWith('*') && (prefix.Length < 3 || prefix[1] != '.' || prefix.AsSpan().ContainsAny('/', ':'))))
        {
            throw table.Wrong("prefix", "a wildcard stands at the beginning of a bare host only, as in *.example.com");
        }

        if (location.Length == 0 && !prefix.StartsWith('*'))
        {
            throw table.Wrong("prefix", "it needs a location: only a wildcard may go without one");
        }

        if (table.Text("pull-from-mirror") is { Length: > 0 })
        {
            throw table.Wrong("pull-from-mirror", "it belongs into a [[registry.mirror]]");
        }

        bool byDigestOnly = table.Switch("mirror-by-digest-only");
        RegistryTable registry = new(prefix.Length == 0 ? location : prefix, location, path)
        {
            IsInsecure = table.Switch("insecure"),
            IsBlocked = table.Switch("blocked"),
            MirrorByDigestOnly = byDigestOnly,
            Mirrors = [.. table.Tables("mirror").Select(mirror => Mirror(mirror, byDigestOnly, warn))],
        };
        table.WarnOfUnknown(warn);
        return registry;
    }

    private static MirrorTable Mirror(TomlTable table, bool byDigestOnly, Action<string> warn)
    {
        string location = Location(table, "location", table.Text("location") ?? "");
        if (location.Length == 0)
        {
            throw new OciException($"{table.Where}: a [[registry.mirror]] needs a location");
        }

        string use = table.Text("pull-from-mirror") ?? "";
        if (use.Length > 0 && byDigestOnly)
        {
            throw table.Wrong("pull-from-mirror", "the registry has mirror-by-digest-only, which says the same for all its mirrors");
        }

        MirrorTable mirror = new(location, table.Switch("insecure"), use switch
        {
            "" or "all" => MirrorUse.All,
            "digest-only" => MirrorUse.DigestOnly,
            "tag-only" => MirrorUse.TagOnly,
            _ => throw table.Wrong("pull-from-mirror", $"'{Printable.Shorten(use, 64)}' is not one of all, digest-only, tag-only"),
        });
        table.WarnOfUnknown(warn);
        return mirror;
    }

    private static string Location(TomlTable table, string key, string text)
    {
        if (text.StartsWith("http://", StringComparison.Ordinal) || text.StartsWith("https://", StringComparison.Ordinal))
        {
            throw table.Wrong(key, $"'{Printable.Shorten(text, 128)}' begins with a scheme: write host[:port][/path]");
        }

        return text.AsSpan().IndexOfAnyInRange('\0', ' ') >= 0
            ? throw table.Wrong(key, $"'{Printable.Shorten(text, 128)}' has a space or a control character in it")
            : text.TrimEnd('/');
    }

    private static ShortNameAlias Alias(string path, TomlTable aliases, string name)
    {
        string target = aliases.Text(name)!;
        if (!Reference.TryParse(name, out Reference? _, out string? mistake)
            || ShortNames.IsQualified(name) || name.AsSpan().ContainsAny(':', '@'))
        {
            throw aliases.Wrong(name, mistake ?? "an alias is a name without registry, tag and digest");
        }

        if (target.Length == 0)
        {
            return new ShortNameAlias("", path);
        }

        if (!Reference.TryParse(target, out Reference? reference, out mistake)
            || !ShortNames.IsQualified(target) || reference.Digest is not null || ShortNames.SuffixOf(target).Length > 0)
        {
            throw aliases.Wrong(name, mistake ?? $"'{Printable.Shorten(target, 128)}' must be a name with its registry and without tag and digest");
        }

        return new ShortNameAlias(target, path);
    }

    // two tables with one location and different words about it: whichever were taken would surprise somebody
    private static void RequireOneWordForOneLocation(RegistriesFile file)
    {
        foreach (IGrouping<string, RegistryTable> same in file.Registries.Where(table => table.Location.Length > 0).GroupBy(table => table.Location))
        {
            string? key = same.Select(table => table.IsInsecure).Distinct().Count() > 1 ? "insecure"
                : same.Select(table => table.IsBlocked).Distinct().Count() > 1 ? "blocked"
                : null;
            if (key is not null)
            {
                throw new OciException($"{file.Path}: '{Printable.Shorten(same.Key, 128)}' is the location of several registries that differ in '{key}'");
            }
        }
    }
}
