namespace OciTool.Images.Compatibility;

/// <summary>Collects what all files of an image together need.</summary>
public sealed class TreeSurvey
{
    private readonly HashSet<string> _folded = new(StringComparer.Ordinal);

    /// <summary>What was found so far.</summary>
    public TreeFacts Facts { get; private set; } = new(0, 0, "/");

    /// <summary>Takes one more file.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="user">Its owner.</param>
    /// <param name="group">Its group.</param>
    /// <param name="hasCapabilities">Whether it has file capabilities.</param>
    /// <param name="isDevice">Whether it is a device node.</param>
    public void Add(string path, long user, long group, bool hasCapabilities, bool isDevice)
    {
        if (user > Facts.HighestUser || group > Facts.HighestGroup)
        {
            Facts = Facts with { HighestUser = Math.Max(user, Facts.HighestUser), HighestGroup = Math.Max(group, Facts.HighestGroup), Owner = path };
        }

        int name = path.LastIndexOf('/');
        bool collides = !_folded.Add($"{path[..name]}{path[name..].ToUpperInvariant()}");
        if (hasCapabilities || isDevice || collides)
        {
            Facts = Facts with
            {
                Capabilities = Counted(Facts.Capabilities, path, hasCapabilities),
                Devices = Counted(Facts.Devices, path, isDevice),
                CaseCollisions = Counted(Facts.CaseCollisions, path, collides),
            };
        }
    }

    private static (string? First, int Count) Counted((string? First, int Count) known, string path, bool counts) =>
        counts ? (known.First ?? path, known.Count + 1) : known;
}
