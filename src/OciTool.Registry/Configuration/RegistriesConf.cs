using OciTool.Images;

namespace OciTool.Registry.Configuration;

/// <summary>What the machine and the user have configured about registries: all files together.</summary>
/// <remarks>
/// containers-registries.conf(5) and containers-registries.conf.d(5). The main file is <c>--registries-conf</c>,
/// <c>$CONTAINERS_REGISTRIES_CONF</c>, the user's or the system's, the first of them that is; the drop-in directories
/// follow, the system's only where the main file is not the user's. What stands later wins: tables by their prefix, aliases by
/// their name, all else as a whole.
/// </remarks>
public sealed class RegistriesConf
{
    /// <summary>The entry of <c>credential-helpers</c> that means the auth files.</summary>
    internal const string AuthFilesHelper = "containers-auth.json";

    private readonly Dictionary<string, RegistryTable> _registries = [];
    private readonly Dictionary<string, ShortNameAlias> _aliases = [];

    private RegistriesConf(IEnumerable<RegistriesFile> files)
    {
        foreach (RegistriesFile file in files)
        {
            foreach (RegistryTable table in file.Registries)
            {
                _registries[table.Prefix] = table;
            }

            if (file.SearchRegistries is { } search)
            {
                (SearchRegistries, SearchFile) = (search, file.Path);
            }

            CredentialHelpers = file.CredentialHelpers ?? CredentialHelpers;
            Mode = file.Mode ?? Mode;
            Merge(file.Aliases);
        }
    }

    /// <summary>Nothing configured at all.</summary>
    internal static RegistriesConf Empty { get; } = new([]);

    /// <summary>Where short names are looked for, in this order.</summary>
    public IReadOnlyList<string> SearchRegistries { get; } = [];

    /// <summary>The file that names them.</summary>
    internal string? SearchFile { get; }

    /// <summary>Whom credentials are asked from, in this order.</summary>
    internal IReadOnlyList<string> CredentialHelpers { get; } = [AuthFilesHelper];

    /// <summary>The mode of short names.</summary>
    internal ShortNameMode Mode { get; }

    /// <summary>What short names stand for.</summary>
    internal IReadOnlyDictionary<string, ShortNameAlias> Aliases => _aliases;

    /// <summary>Reads all files.</summary>
    /// <param name="options">Where they are.</param>
    /// <param name="warn">Told of unknown keys.</param>
    /// <exception cref="OciException">A value is wrong, or the file that was asked for is missing.</exception>
    public static RegistriesConf Read(RegistryOptions options, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(options);
        RegistriesConf conf = new(Files(options, warn));
        conf.Merge(ShortNameCache.Read(options));
        return conf;
    }

    /// <summary>Merges files, the first of them first.</summary>
    internal static RegistriesConf Merge(params RegistriesFile[] files) => new(files);

    /// <summary>The table that is about a name: the one with the longest prefix; null when there is none.</summary>
    /// <param name="name">A whole name, with or without tag and digest.</param>
    internal RegistryTable? Find(string name) =>
        _registries.Values.Where(table => table.Match(name) >= 0).MaxBy(table => table.Prefix.Length);

    /// <summary>Where to ask for an image, in this order: the mirrors, then the place itself.</summary>
    /// <param name="reference">The image.</param>
    /// <exception cref="RegistryException">Its registry is blocked.</exception>
    /// <exception cref="OciException">A location is no registry.</exception>
    internal IReadOnlyList<PullSource> PullSources(Reference reference)
    {
        string name = reference.ToString();
        if (Find(name) is not { } table)
        {
            return [new PullSource(reference, IsInsecure: null)];
        }

        RequireUnblocked(table);
        int covered = table.Match(name);
        bool hasDigest = reference.Digest is not null;
        return
        [
            .. table.Mirrors
                .Where(mirror => (hasDigest || !table.MirrorByDigestOnly)
                    && mirror.Use != (hasDigest ? MirrorUse.TagOnly : MirrorUse.DigestOnly))
                .Select(mirror => new PullSource(Rewrite(table, mirror.Location, name[covered..]), mirror.IsInsecure)),
            new PullSource(table.Location.Length == 0 ? reference : Rewrite(table, table.Location, name[covered..]), table.IsInsecure),
        ];
    }

    /// <summary>Refuses what is blocked.</summary>
    /// <exception cref="RegistryException">It is blocked.</exception>
    internal static void RequireUnblocked(RegistryTable? table)
    {
        if (table is { IsBlocked: true })
        {
            throw new RegistryException($"registry {Printable.Shorten(table.Prefix, 128)} is blocked in {table.File}");
        }
    }

    private static Reference Rewrite(RegistryTable table, string location, string rest)
    {
        string? mistake = "its first part must be a registry: a host with a dot or a port, or localhost";
        return ShortNames.IsQualified(location + rest) && Reference.TryParse(location + rest, out Reference? reference, out mistake)
            ? reference
            : throw new OciException(
                $"{table.File}: location '{Printable.Shorten(location, 128)}' of registry '{Printable.Shorten(table.Prefix, 128)}': {mistake}");
    }

    private static IEnumerable<RegistriesFile> Files(RegistryOptions options, Action<string> warn)
    {
        string user = Path.Join(options.ConfigHome, "containers");
        string? given = options.RegistriesConf ?? options.Variable("CONTAINERS_REGISTRIES_CONF");
        string userFile = Path.Join(user, "registries.conf");
        bool isUsers = given is null && File.Exists(userFile);
        string main = given ?? (isUsers ? userFile : Path.Join(options.SystemConfiguration, "registries.conf"));
        RegistriesFile? file = RegistriesFile.Read(main, warn);
        if (file is null && given is not null)
        {
            throw new OciException($"registries file {given}: no such file");
        }

        IEnumerable<string> directories = options.RegistriesConfDirectory is { } only ? [only]
            : isUsers ? [Path.Join(user, "registries.conf.d")]
            : [Path.Join(options.SystemConfiguration, "registries.conf.d"), Path.Join(user, "registries.conf.d")];
        IEnumerable<RegistriesFile> dropIns = directories.SelectMany(DropIns).Select(path => RegistriesFile.Read(path, warn)).OfType<RegistriesFile>();
        return file is null ? dropIns : dropIns.Prepend(file);
    }

    private static IEnumerable<string> DropIns(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory).Where(file => file.EndsWith(".conf", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"{directory}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private void Merge(IReadOnlyDictionary<string, ShortNameAlias> aliases)
    {
        foreach ((string name, ShortNameAlias alias) in aliases)
        {
            if (alias.Target.Length == 0)
            {
                _aliases.Remove(name);
            }
            else
            {
                _aliases[name] = alias;
            }
        }
    }
}
