using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OciTool.Images;
using OciTool.Registry.Configuration;

namespace OciTool.Registry;

/// <summary>Finds a repository's credentials in the auth files of podman and docker, in podman's order.</summary>
/// <remarks>containers-auth.json(5); docker's config.json with <c>credsStore</c>; and its forerunner, .dockercfg.</remarks>
internal sealed class AuthFiles(RegistryOptions options, TimeProvider time, Action<string> warn)
{
    private const int MaxFile = 1 << 20;
    private const string DockerHubKey = "https://index.docker.io/v1/";

    /// <summary>The only file to read and to write, where the user names one.</summary>
    internal string? Named => options.AuthFile ?? options.Variable("REGISTRY_AUTH_FILE");

    /// <summary>The user's own file, which is written unless another one is named.</summary>
    internal string OfUser => Path.Join(options.ConfigHome, "containers/auth.json");

    private string Home => options.Variable("HOME") ?? "/";

    /// <summary>Whom to ask, in this order: the auth files, and programs that registries.conf names.</summary>
    internal IReadOnlyList<string> Helpers { get; init; } = [RegistriesConf.AuthFilesHelper];

    /// <summary>The files that are read, in their order.</summary>
    internal IEnumerable<(string Path, bool MustExist)> Paths()
    {
        if (Named is { } only)
        {
            return [(only, true)];
        }

        return
        [
            (Path.Join(options.Variable("XDG_RUNTIME_DIR") ?? $"/run/containers/{EffectiveUser()}", options.Variable("XDG_RUNTIME_DIR") is null ? "" : "containers", "auth.json"), false),
            (OfUser, false),
            (Path.Join(options.Variable("DOCKER_CONFIG") ?? Path.Join(Home, ".docker"), "config.json"), false),
            (Path.Join(Home, ".dockercfg"), false),
        ];
    }

    /// <summary>The credentials for a registry, or for a part of one; null when there are none.</summary>
    /// <exception cref="OciException">A file is broken, or the one that was asked for is missing.</exception>
    internal async Task<Credentials?> FindAsync(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        if (options.Credentials is { } given)
        {
            return given;
        }

        foreach (string helper in Helpers)
        {
            Credentials? found = helper == RegistriesConf.AuthFilesHelper
                ? await FindInFilesAsync(endpoint, cancellationToken)
                : await AskAsync("registries.conf", helper, Server(endpoint), cancellationToken);
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>The keys that may name a repository, the most specific first.</summary>
    internal static IEnumerable<string> Keys(RegistryEndpoint endpoint)
    {
        string key = endpoint.Name;
        for (int slash = key.Length; slash > 0; slash = key.LastIndexOf('/'))
        {
            key = key[..slash];
            yield return key;
        }
    }

    /// <summary>What docker calls a registry in its file and to its helpers: docker.io has an old name there.</summary>
    internal static string Server(RegistryEndpoint endpoint) =>
        endpoint.Registry == Reference.DefaultRegistry ? DockerHubKey : endpoint.Registry;

    // older clients wrote URLs as keys, and docker.io under several names
    internal static string Normalize(string key)
    {
        string host = key.StartsWith("https://", StringComparison.Ordinal) ? key[8..]
            : key.StartsWith("http://", StringComparison.Ordinal) ? key[7..]
            : key;
        int slash = host.IndexOf('/', StringComparison.Ordinal);
        bool isUrl = host.Length != key.Length || (slash > 0 && host[slash..] is "/v1/" or "/v2/" or "/v1" or "/v2");
        host = isUrl && slash > 0 ? host[..slash] : host;
        return host is "index.docker.io" or "registry-1.docker.io" ? Reference.DefaultRegistry : host;
    }

    private async Task<Credentials?> FindInFilesAsync(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        foreach ((string path, bool mustExist) in Paths())
        {
            if (Read(path, mustExist) is { } file
                && await FindAsync(path, file, endpoint, cancellationToken) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private async Task<Credentials?> FindAsync(
        string path, AuthFileDocument file, RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        foreach (string key in Keys(endpoint))
        {
            if (Match(file.CredHelpers, key) is var (name, helper) && !string.IsNullOrEmpty(helper)
                && await AskAsync(path, helper, name, cancellationToken) is { } found)
            {
                return found;
            }
        }

        foreach (string key in Keys(endpoint))
        {
            if (Match(file.Auths, key) is var (name, entry) && entry is not null && Decode(path, name, entry) is { } found)
            {
                return found;
            }
        }

        return string.IsNullOrEmpty(file.CredsStore) ? null : await AskAsync(path, file.CredsStore, Server(endpoint), cancellationToken);
    }

    private static (string Key, T? Value)? Match<T>(Dictionary<string, T?>? map, string key)
        where T : class
    {
        if (map is null)
        {
            return null;
        }

        if (map.TryGetValue(key, out T? value))
        {
            return (key, value);
        }

        foreach ((string candidate, T? other) in map)
        {
            if (string.Equals(Normalize(candidate), key, StringComparison.Ordinal))
            {
                return (candidate, other);
            }
        }

        return null;
    }

    private static Credentials? Decode(string path, string key, AuthEntry entry)
    {
        string source = $"{path} (key '{Printable.Shorten(key, 128)}')";
        string user = "";
        string password = "";
        if (!string.IsNullOrEmpty(entry.Auth))
        {
            byte[] bytes = new byte[entry.Auth.Length];
            if (!Convert.TryFromBase64String(entry.Auth, bytes, out int length)
                || Encoding.UTF8.GetString(bytes, 0, length) is not { } text
                || text.IndexOf(':', StringComparison.Ordinal) is not (>= 0 and int colon))
            {
                throw new OciException($"invalid auth file {source}: 'auth' must be the base64 form of user:password");
            }

            (user, password) = (text[..colon], text[(colon + 1)..].TrimEnd('\0'));
        }

        return !string.IsNullOrEmpty(entry.IdentityToken) ? new Credentials(user, password) { IdentityToken = entry.IdentityToken, Source = source }
            : user.Length > 0 || password.Length > 0 ? new Credentials(user, password) { Source = source }
            : null;
    }

    private static AuthFileDocument? Read(string path, bool mustExist)
    {
        byte[] content;
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MaxFile)
            {
                throw new OciException($"invalid auth file {path}: it is longer than {MaxFile} bytes");
            }

            content = new byte[file.Length];
            file.ReadExactly(content);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return mustExist ? throw new OciException($"auth file {path}: no such file", e) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"auth file {path}: {e.Message.TrimEnd('.')}", e);
        }

        if (content.AsSpan().IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            return null;
        }

        return Path.GetFileName(path) == ".dockercfg"
            ? new AuthFileDocument(Parse(path, content, RegistryJson.Default.DictionaryStringAuthEntry)!, CredHelpers: null, CredsStore: null)
            : Parse(path, content, RegistryJson.Default.AuthFileDocument);
    }

    private static T Parse<T>(string path, byte[] content, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new OciException($"invalid auth file {path}: it is null");
        }
        catch (JsonException e)
        {
            // the reader's own message may quote what it could not read, which may be a password
            throw new OciException($"invalid auth file {path}: not the JSON of an auth file, line {e.LineNumber + 1}");
        }
    }

    // a helper that is missing or fails must not stop the pull of a public image
    private async Task<Credentials?> AskAsync(string path, string helper, string server, CancellationToken cancellationToken)
    {
        try
        {
            Credentials? found = await CredentialHelper.GetAsync(helper, server, options.Variable("PATH"), time, cancellationToken);
            return found is null ? null : found with { Source = $"docker-credential-{helper}, which {path} names (key '{Printable.Shorten(server, 128)}')" };
        }
        catch (OciException e)
        {
            warn($"{e.Message}; {path} names it");
            return null;
        }
    }

    internal static string EffectiveUser()
    {
        string uid = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        return uid.Split('\t')[2];
    }
}
