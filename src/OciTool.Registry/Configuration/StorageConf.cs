using OciTool.Images;

namespace OciTool.Registry.Configuration;

/// <summary>Where podman, buildah and CRI-O keep their images, as storage.conf says.</summary>
/// <remarks>
/// containers-storage.conf(5). Here and not with the stores, because the reader of TOML is here. The file is <c>$CONTAINERS_STORAGE_CONF</c>,
/// without root the user's, else the system's, the first of them that is.
/// </remarks>
/// <param name="GraphRoot">The store's directory.</param>
/// <param name="Driver">How layers are kept in it; null where nothing says so.</param>
/// <param name="Additional">Directories of stores that are read too.</param>
public sealed record StorageConf(string GraphRoot, string? Driver, IReadOnlyList<string> Additional)
{
    private static readonly string[] SystemFiles = ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"];

    /// <summary>Reads what is configured for this user.</summary>
    /// <param name="environment">Reads a variable of the environment.</param>
    /// <param name="isPrivileged">Whether this is root.</param>
    /// <exception cref="OciException">A file cannot be read, or is wrong.</exception>
    public static StorageConf Read(Func<string, string?> environment, bool isPrivileged) => Read(environment, isPrivileged, SystemFiles);

    /// <summary>The same, with the system's files elsewhere.</summary>
    internal static StorageConf Read(Func<string, string?> environment, bool isPrivileged, IReadOnlyList<string> systemFiles)
    {
        // podman unshare and its like make us root of a namespace: the store is the user's all the same
        bool isRootless = !isPrivileged || Set(environment, "_CONTAINERS_ROOTLESS_UID") is not null;
        string? named = Set(environment, "CONTAINERS_STORAGE_CONF");
        string? home = Set(environment, "HOME");
        TomlTable? own = named is not null
            ? TomlTable.ReadFile(named) ?? throw new OciException($"{Printable.Shorten(named)}: no such file, which CONTAINERS_STORAGE_CONF names")
            : isRootless ? ReadOf(Set(environment, "XDG_CONFIG_HOME") ?? Below(home, ".config")) : null;
        TomlTable? system = own is null || isRootless ? systemFiles.Select(TomlTable.ReadFile).FirstOrDefault(file => file is not null) : null;
        TomlTable? storage = (own ?? system)?.Table("storage");
        string? root = own is null && isRootless ? null : storage?.Text("graphroot");
        string? rootless = isRootless ? (storage?.Text("rootless_storage_path") ?? system?.Table("storage")?.Text("rootless_storage_path")) : null;
        string? data = Set(environment, "XDG_DATA_HOME") ?? Below(home, ".local/share");
        return new StorageConf(
            Expand(NotEmpty(root) ?? NotEmpty(rootless), environment)
                ?? (!isRootless ? "/var/lib/containers/storage"
                : data is null ? throw new OciException("where is the store of podman? HOME is not set") : $"{data}/containers/storage"),
            Set(environment, "STORAGE_DRIVER") ?? NotEmpty(storage?.Text("driver")),
            [.. (NotEmpty(storage?.Text("imagestore")) is { } images ? (string[])[images] : [])
                .Concat(storage?.Table("options")?.Texts("additionalimagestores") ?? []).Select(path => Expand(path, environment)!)]);
    }

    private static TomlTable? ReadOf(string? directory) => directory is null ? null : TomlTable.ReadFile($"{directory}/containers/storage.conf");

    private static string? Below(string? home, string name) => home is null ? null : $"{home}/{name}";

    private static string? Set(Func<string, string?> environment, string name) => NotEmpty(environment(name));

    private static string? NotEmpty(string? text) => text is { Length: > 0 } ? text : null;

    private static string? Expand(string? path, Func<string, string?> environment) => path?
        .Replace("$HOME", environment("HOME") ?? "", StringComparison.Ordinal)
        .Replace("$USER", environment("USER") ?? "", StringComparison.Ordinal)
        .Replace("$UID", Set(environment, "_CONTAINERS_ROOTLESS_UID") ?? AuthFiles.EffectiveUser(), StringComparison.Ordinal);
}
