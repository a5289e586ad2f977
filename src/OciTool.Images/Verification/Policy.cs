using System.Diagnostics.CodeAnalysis;

namespace OciTool.Images.Verification;

/// <summary>What images must fulfil before they are taken.</summary>
/// <remarks>containers-policy.json(5). Only the requirements of the most specific scope count.</remarks>
public sealed class Policy
{
    private const int MaxFile = 1 << 20;
    private const string Registries = "docker"; // the transport whose images come from registries

    private readonly string? _file;
    private readonly IReadOnlyList<PolicyRequirement> _default;
    private readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, IReadOnlyList<PolicyRequirement>>> _transports;

    internal Policy(
        string? file,
        IReadOnlyList<PolicyRequirement> requirements,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, IReadOnlyList<PolicyRequirement>>> transports) =>
        (_file, _default, _transports) = (file, requirements, transports);

    /// <summary>Reads the policy that holds here.</summary>
    /// <param name="given">The file that the command line names, which must exist; null for none.</param>
    /// <param name="environment">Looks up an environment variable.</param>
    /// <returns>The policy of the first file that exists; one that takes everything when there is none (docs/adr/0014).</returns>
    /// <exception cref="OciException">The file cannot be read, or is not a policy.</exception>
    public static Policy Load(string? given, Func<string, string?> environment) =>
        Load(given, environment, "/etc/containers/policy.json");

    // tests bring a policy of the machine of their own
    internal static Policy Load(string? given, Func<string, string?> environment, string ofMachine)
    {
        if (given is not null)
        {
            return TryRead(given, out Policy? named) ? named : throw new OciException($"signature policy {given}: no such file");
        }

        foreach (string file in Files(environment).Append(ofMachine))
        {
            if (TryRead(file, out Policy? found))
            {
                return found;
            }
        }

        return new Policy(file: null, [new InsecureAcceptAnything()],
            new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<PolicyRequirement>>>());
    }

    /// <summary>Parses a policy.</summary>
    /// <param name="file">Where it was read, for errors.</param>
    /// <param name="json">The content of the file.</param>
    /// <exception cref="OciException">It is not a policy, or has something in it that is not known.</exception>
    public static Policy Parse(string file, ReadOnlyMemory<byte> json) => PolicyReader.Read(file, json);

    /// <summary>What an image of a registry must fulfil.</summary>
    /// <param name="image">The name that the user asked for, whatever mirror serves it.</param>
    public PolicyRule For(Reference image) => Find(Registries, Scopes(image));

    /// <summary>What an image of another transport must fulfil.</summary>
    /// <param name="image">The image.</param>
    public PolicyRule For(TransportScope image) => Find(image.Transport, image.Scopes.Append(""));

    private PolicyRule Find(string transport, IEnumerable<string> names)
    {
        if (_transports.TryGetValue(transport, out var scopes))
        {
            foreach (string scope in names)
            {
                if (scopes.TryGetValue(scope, out IReadOnlyList<PolicyRequirement>? requirements))
                {
                    return new PolicyRule(requirements, $"{_file}, {(scope.Length == 0 ? $"transport '{transport}'" : $"scope '{scope}'")}");
                }
            }
        }

        return new PolicyRule(_default, _file is null ? "no policy.json" : $"{_file}, the default");
    }

    /// <summary>The image, its repository, the namespaces above it, its registry, the domains above that, and everything.</summary>
    internal static IEnumerable<string> Scopes(Reference image)
    {
        if (image.Digest is { } digest)
        {
            yield return $"{image.Name}@{digest}";
        }

        if (image.Tag is { } tag)
        {
            yield return $"{image.Name}:{tag}";
        }

        string name = image.Name;
        for (int slash = name.Length; slash > 0; slash = name.LastIndexOf('/'))
        {
            name = name[..slash];
            yield return name;
        }

        int port = name.StartsWith('[') ? -1 : name.IndexOf(':', StringComparison.Ordinal);
        string domain = port < 0 ? name : name[..port];
        for (int dot = domain.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = domain.IndexOf('.', StringComparison.Ordinal))
        {
            domain = domain[(dot + 1)..];
            yield return $"*.{domain}";
        }

        yield return "";
    }

    // podman knows ~/.config only; who moved it must not lose the policy that podman enforces
    private static IEnumerable<string> Files(Func<string, string?> environment)
    {
        if (environment("XDG_CONFIG_HOME") is ['/', ..] and { } config)
        {
            yield return Path.Join(config, "containers/policy.json");
        }

        if (environment("HOME") is { Length: > 0 } home)
        {
            yield return Path.Join(home, ".config/containers/policy.json");
        }
    }

    // only a file that is not there is passed over: one that cannot be read may forbid everything
    private static bool TryRead(string file, [NotNullWhen(true)] out Policy? policy)
    {
        policy = null;
        try
        {
            policy = Parse(file, BoundedFile.Read(file, MaxFile));
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"signature policy {file}: {e.Message.TrimEnd('.')}", e);
        }
    }
}
