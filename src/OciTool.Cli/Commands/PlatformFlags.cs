using System.CommandLine;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The options that choose a platform of an image.</summary>
internal sealed class PlatformFlags
{
    private readonly Option<string?> _architecture = new("--arch")
    {
        Description = "Use ARCH instead of the architecture of the machine for choosing images",
        HelpName = "ARCH",
    };

    private readonly Option<string?> _os = new("--os")
    {
        Description = "Use OS instead of the running OS for choosing images",
        HelpName = "OS",
    };

    private readonly Option<string?> _platform = new("--platform")
    {
        Description = "Specify the platform for selecting the image (conflicts with --arch and --os)",
        HelpName = "string",
    };

    private readonly Option<string?> _variant = new("--variant")
    {
        Description = "Use VARIANT instead of the running architecture variant for choosing images",
        HelpName = "string",
    };

    /// <summary>Adds the options to a verb.</summary>
    public PlatformFlags(Command verb)
    {
        verb.Add(_architecture);
        verb.Add(_os);
        verb.Add(_platform);
        verb.Add(_variant);
    }

    /// <summary>The platform to choose, and whether the user asked for it by name.</summary>
    /// <remarks>
    /// Asked for this machine's architecture without a variant, the machine's own level is meant: <c>linux/amd64</c> on
    /// an x86-64-v3 processor takes the v3 entry of an index that has one.
    /// </remarks>
    /// <exception cref="OciException">The options contradict each other, or are no platform.</exception>
    public (Platform Platform, bool Explicit) Read(ParseResult command)
    {
        string? architecture = command.GetValue(_architecture);
        string? os = command.GetValue(_os);
        string? variant = command.GetValue(_variant);
        if (command.GetValue(_platform) is { } platform)
        {
            return architecture is null && os is null
                ? (WithLevelOfThisMachine(Platform.Parse(platform)), true)
                : throw new UsageException("--platform option can not be specified with --arch or --os");
        }

        if (architecture is null && os is null && variant is null)
        {
            return (Platform.Host, false);
        }

        string text = $"{os ?? Platform.Host.Os}/{architecture ?? Platform.Host.Architecture}";
        return (WithLevelOfThisMachine(Platform.Parse(variant is null ? text : $"{text}/{variant}")), true);
    }

    private static Platform WithLevelOfThisMachine(Platform platform) =>
        platform.Variant is null && platform.Os == Platform.Host.Os && platform.Architecture == Platform.Host.Architecture
            ? Platform.Host
            : platform;
}
