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

    private readonly Option<bool>? _lax;
    private readonly Option<bool>? _all;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="canBeLax">Whether it may take an image for another platform than the one that was asked for.</param>
    /// <param name="canBeAll">Whether it may take all platforms of an index.</param>
    public PlatformFlags(Command verb, bool canBeLax = false, bool canBeAll = false)
    {
        if (canBeAll)
        {
            _all = new("--all-platforms") { Description = "Take the whole index: all platforms, attestations and other artifacts" };
            verb.Add(_all);
        }

        verb.Add(_architecture);
        verb.Add(_os);
        verb.Add(_platform);
        verb.Add(_variant);
        if (canBeLax)
        {
            _lax = new("--platform-lax") { Description = "Only warn where the image is for another platform than the one asked for, as podman does" };
            verb.Add(_lax);
        }
    }

    /// <summary>The platform to choose, and whether the user asked for it by name.</summary>
    /// <remarks>
    /// Asked for this machine's architecture without a variant, the machine's own level is meant: <c>linux/amd64</c> on
    /// an x86-64-v3 processor takes the v3 entry of an index that has one.
    /// </remarks>
    /// <exception cref="OciException">The options contradict each other, or are no platform.</exception>
    public PlatformChoice Read(ParseResult command)
    {
        bool lax = _lax is not null && command.GetValue(_lax);
        bool all = _all is not null && command.GetValue(_all);
        string? architecture = command.GetValue(_architecture);
        string? os = command.GetValue(_os);
        string? variant = command.GetValue(_variant);
        string? platform = command.GetValue(_platform);
        if (all && (architecture ?? os ?? variant ?? platform) is not null)
        {
            throw new UsageException("--all-platforms cannot be used with --platform, --arch, --os or --variant");
        }

        if (platform is not null)
        {
            return architecture is null && os is null
                ? new(WithLevelOfThisMachine(Platform.Parse(platform)), ByName: true, lax)
                : throw new UsageException("--platform option can not be specified with --arch or --os");
        }

        if (architecture is null && os is null && variant is null)
        {
            return new(Platform.Host, ByName: false) { All = all };
        }

        string text = $"{os ?? Platform.Host.Os}/{architecture ?? Platform.Host.Architecture}";
        return new(WithLevelOfThisMachine(Platform.Parse(variant is null ? text : $"{text}/{variant}")), ByName: true, lax);
    }

    private static Platform WithLevelOfThisMachine(Platform platform) =>
        platform.Variant is null && platform.Os == Platform.Host.Os && platform.Architecture == Platform.Host.Architecture
            ? Platform.Host
            : platform;
}
