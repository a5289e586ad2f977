using OciTool.Images;
using OciTool.Registry.Configuration;

namespace OciTool.Registry;

/// <summary>What a name without a registry stands for.</summary>
/// <remarks>
/// containers-registries.conf(5), "Short-Name Aliasing". Where no file names a registry to search, a short name means
/// docker.io, as it does in most people's heads; podman refuses there.
/// </remarks>
public static class ShortNames
{
    /// <summary>The images that a name may stand for, in the order in which to try them.</summary>
    /// <param name="text">What the user typed.</param>
    /// <param name="conf">The configuration.</param>
    /// <param name="choose">Lets the user choose among several; null when there is no terminal.</param>
    /// <exception cref="OciException">It is not a name, or nobody can say which of several is meant.</exception>
    public static ResolvedName Resolve(string text, RegistriesConf conf, Func<IReadOnlyList<Reference>, Reference>? choose)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(conf);
        Reference typed = Reference.Parse(text);
        if (IsQualified(text))
        {
            return new ResolvedName([typed]);
        }

        string suffix = SuffixOf(text);
        string name = text[..^suffix.Length];
        if (conf.Aliases.TryGetValue(name, out ShortNameAlias? alias))
        {
            return new ResolvedName([Reference.Parse(alias.Target + suffix)]);
        }

        if (conf.SearchRegistries.Count == 0)
        {
            return new ResolvedName([typed]);
        }

        Reference[] candidates = [.. conf.SearchRegistries.Select(registry => Candidate(conf, registry, text))];
        if (candidates.Length == 1 || conf.Mode == ShortNameMode.Disabled)
        {
            return new ResolvedName(candidates);
        }

        if (choose is not null)
        {
            return new ResolvedName([choose(candidates)]) { ChosenFor = name };
        }

        return conf.Mode == ShortNameMode.Permissive
            ? new ResolvedName(candidates)
            : throw new OciException($"short-name \"{text}\" did not resolve to an alias, and without a terminal nobody can choose "
                + $"between {string.Join(", ", candidates.Select(candidate => candidate.ToString()))}")
            {
                Hint = $"type one of these names, or add an alias to {conf.SearchFile}",
            };
    }

    /// <summary>Whether a name begins with its registry.</summary>
    /// <remarks>distribution/reference, <c>splitDockerDomain</c>.</remarks>
    internal static bool IsQualified(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && (text.AsSpan(0, slash).ContainsAny('.', ':', '[') || text.StartsWith("localhost/", StringComparison.Ordinal));
    }

    /// <summary>The tag and the digest of a name, with the signs before them.</summary>
    internal static string SuffixOf(string text)
    {
        int end = text.IndexOf('@', StringComparison.Ordinal);
        end = end < 0 ? text.Length : end;
        int colon = text.LastIndexOf(':', Math.Max(end - 1, 0));
        return colon > text.LastIndexOf('/', Math.Max(end - 1, 0)) ? text[colon..] : text[end..];
    }

    private static Reference Candidate(RegistriesConf conf, string registry, string text)
    {
        string? mistake = "it is not a host with a dot or a port, or localhost";
        return IsQualified($"{registry}/") && Reference.TryParse($"{registry}/{text}", out Reference? reference, out mistake)
            ? reference
            : throw new OciException($"{conf.SearchFile}: unqualified-search-registries: '{Printable.Shorten(registry, 128)}': {mistake}");
    }
}

/// <summary>What a name stands for.</summary>
/// <param name="Candidates">The images to try, in this order.</param>
public sealed record ResolvedName(IReadOnlyList<Reference> Candidates)
{
    /// <summary>The short name that the user made a choice for; null when there was none to make.</summary>
    internal string? ChosenFor { get; init; }

    /// <summary>Notes the user's choice, once it has turned out well, so that nobody is asked again.</summary>
    /// <param name="options">Where choices are kept.</param>
    /// <exception cref="OciException">The file cannot be written.</exception>
    public void Remember(RegistryOptions options)
    {
        if (ChosenFor is not null)
        {
            ShortNameCache.Add(options, ChosenFor, Candidates[0].Name);
        }
    }
}
