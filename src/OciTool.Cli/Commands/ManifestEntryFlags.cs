using System.CommandLine;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The options that say what an entry of a manifest list says of its image.</summary>
internal sealed class ManifestEntryFlags
{
    private readonly Option<string[]> _annotations = new("--annotation") { Description = "Set an annotation of the entry, as KEY=VALUE", HelpName = "annotation" };
    private readonly Option<string?> _architecture = new("--arch") { Description = "Override the architecture of the entry", HelpName = "architecture" };
    private readonly Option<string[]> _features = new("--features") { Description = "Does nothing: the specification reserves the field", HelpName = "features" };
    private readonly Option<string?> _os = new("--os") { Description = "Override the OS of the entry", HelpName = "OS" };
    private readonly Option<string[]> _osFeatures = new("--os-features") { Description = "Override the OS features of the entry", HelpName = "features" };
    private readonly Option<string?> _osVersion = new("--os-version") { Description = "Override the OS version of the entry", HelpName = "version" };
    private readonly Option<string?> _variant = new("--variant") { Description = "Override the variant of the entry", HelpName = "variant" };

    /// <summary>Adds the options to a verb.</summary>
    public ManifestEntryFlags(Command verb)
    {
        verb.Add(_annotations);
        verb.Add(_architecture);
        verb.Add(_features);
        verb.Add(_os);
        verb.Add(_osFeatures);
        verb.Add(_osVersion);
        verb.Add(_variant);
    }

    /// <summary>What an entry says with the options.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="entry">What it said before.</param>
    /// <exception cref="OciException">An option is no annotation or no platform.</exception>
    public Descriptor Apply(ParseResult command, Descriptor entry)
    {
        Dictionary<string, string> annotations = entry.Annotations is null ? [] : new(entry.Annotations);
        foreach (string annotation in command.GetValue(_annotations) ?? [])
        {
            int equals = annotation.IndexOf('=', StringComparison.Ordinal);
            annotations[equals > 0 ? annotation[..equals] : throw new UsageException($"annotation '{Printable.Shorten(annotation)}' is not KEY=VALUE")] = annotation[(equals + 1)..];
        }

        Platform platform = entry.Platform ?? new Platform("linux", "unknown");
        string text = $"{command.GetValue(_os) ?? platform.Os}/{command.GetValue(_architecture) ?? platform.Architecture}";
        string? variant = command.GetValue(_variant) ?? (command.GetValue(_architecture) is null ? platform.Variant : null);
        Platform changed = Platform.Parse(string.IsNullOrEmpty(variant) ? text : $"{text}/{variant}");
        return entry with
        {
            Annotations = annotations.Count == 0 ? null : annotations,
            Platform = changed with
            {
                OsVersion = command.GetValue(_osVersion) ?? platform.OsVersion,
                OsFeatures = command.GetValue(_osFeatures) is { Length: > 0 } features ? features : platform.OsFeatures,
            },
        };
    }
}
