namespace OciTool.Images;

/// <summary>Finds the entry of an index that a machine runs best.</summary>
/// <remarks>
/// A variant runs on its own and every later one of the same architecture: arm v5 to v8, amd64 v1 to v4. An entry
/// without a variant is the base of its architecture (amd64 v1, arm64 v8), except for arm, where the specification
/// leaves it open and v7 is what everybody means. arm64 machines are not assumed to run 32-bit arm.
/// </remarks>
public static class PlatformMatcher
{
    /// <summary>How well an image for <paramref name="offered"/> runs where <paramref name="wanted"/> is asked for.</summary>
    /// <param name="wanted">The machine's platform, or what the user asked for.</param>
    /// <param name="offered">The platform of an entry or of a configuration.</param>
    /// <returns>0 when it does not run; otherwise the higher the better.</returns>
    public static int Score(Platform wanted, Platform offered)
    {
        wanted = Platform.Normalize(wanted);
        offered = Platform.Normalize(offered);
        if (wanted.Os != offered.Os || wanted.Architecture != offered.Architecture)
        {
            return 0;
        }

        if (Level(wanted) is { } most && Level(offered) is { } level)
        {
            return level <= most ? level : 0;
        }

        // an unknown variant is taken only where it is asked for by name
        return string.IsNullOrEmpty(offered.Variant) || offered.Variant == wanted.Variant ? 1 : 0;
    }

    /// <summary>The entries of an index that run on a platform, best first; entries of equal worth keep their order.</summary>
    /// <param name="entries">The entries.</param>
    /// <param name="wanted">The platform to run on.</param>
    public static IEnumerable<Descriptor> Matching(IEnumerable<Descriptor> entries, Platform wanted) =>
        entries.Select(entry => (Entry: entry, Score: entry.Platform is { } offered ? Score(wanted, offered) : 0))
            .Where(candidate => candidate.Score > 0)
            .OrderByDescending(candidate => candidate.Score)
            .Select(candidate => candidate.Entry);

    private static int? Level(Platform platform) => (platform.Architecture, platform.Variant) switch
    {
        ("amd64", null or "") => 1,
        ("amd64", "v1" or "v2" or "v3" or "v4") => platform.Variant[1] - '0',
        ("arm64", null or "") => 8,
        ("arm64", "v8") => 8,
        ("arm64", "v9") => 9,
        ("arm", null or "") => 7,
        ("arm", "v5" or "v6" or "v7" or "v8") => platform.Variant[1] - '0',
        _ => null,
    };
}
