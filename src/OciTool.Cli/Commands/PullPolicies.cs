using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>When <c>run</c> asks the registry for an image.</summary>
internal enum PullPolicy
{
    /// <summary>When the store has it not.</summary>
    Missing,

    /// <summary>Each time.</summary>
    Always,

    /// <summary>Never.</summary>
    Never,

    /// <summary>Each time, but what the store has will do when the registry does not answer.</summary>
    Newer,
}

/// <summary>Reads <see cref="PullPolicy"/>.</summary>
internal static class PullPolicies
{
    /// <summary>Parses the value of <c>--pull</c>.</summary>
    /// <exception cref="UsageException">It is another word.</exception>
    public static PullPolicy Parse(string text) => text switch
    {
        "missing" or "ifnotpresent" or "IfNotPresent" or "false" => PullPolicy.Missing,
        "always" or "Always" or "true" => PullPolicy.Always,
        "never" or "Never" => PullPolicy.Never,
        "newer" or "ifnewer" => PullPolicy.Newer,
        _ => throw new UsageException($"unsupported pull policy \"{Printable.Shorten(text)}\", choose from: always, missing, never, newer"),
    };
}
