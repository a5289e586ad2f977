using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace OciTool.Images;

/// <summary>The operating system and processor that an image runs on.</summary>
/// <param name="Os">A GOOS value, for example <c>linux</c>.</param>
/// <param name="Architecture">A GOARCH value, for example <c>amd64</c>.</param>
/// <param name="Variant">The processor variant, for example <c>v8</c> for arm64 or <c>v3</c> for amd64.</param>
/// <remarks>OCI image-spec v1.1, image-index.md, sections "Image Index Property Descriptions" and "Platform Variants".</remarks>
public sealed record Platform(string Os, string Architecture, string? Variant = null)
{
    /// <summary>The version of the operating system; used by Windows only.</summary>
    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    /// <summary>Features that the operating system must have; used by Windows only.</summary>
    [JsonPropertyName("os.features")]
    public IReadOnlyList<string>? OsFeatures { get; init; }

    /// <summary>The platform of this machine, with the level of its processor.</summary>
    public static Platform Host { get; } = new(
        "linux",
        RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.X86 => "386",
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            System.Runtime.InteropServices.Architecture.Arm => "arm",
            var other => other.ToString().ToLowerInvariant(),
        },
        ProcessorLevel.OfThisMachine);

    /// <summary>Parses what <c>--platform</c> takes: <c>os/arch[/variant]</c>, or an architecture alone.</summary>
    /// <param name="text">For example <c>linux/arm64</c>, <c>linux/arm/v7</c> or <c>arm64</c>.</param>
    /// <exception cref="OciException">The text is not a platform.</exception>
    public static Platform Parse(string text)
    {
        string[] parts = text.Split('/');
        bool valid = parts.Length is >= 1 and <= 3 && parts.All(part => part.Length is > 0 and <= 32
            && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'));
        if (!valid)
        {
            throw new OciException($"invalid platform '{Printable.Shorten(text)}': want os/architecture[/variant], for example linux/arm64");
        }

        return parts.Length == 1
            ? Normalize(new Platform("linux", parts[0]))
            : Normalize(new Platform(parts[0], parts[1], parts.ElementAtOrDefault(2)));
    }

    /// <summary>Writes the names that uname and Debian use as the specification writes them.</summary>
    /// <param name="platform">For example <c>linux/x86_64</c>.</param>
    public static Platform Normalize(Platform platform) =>
        (platform.Architecture.ToLowerInvariant(), platform.Variant?.ToLowerInvariant()) switch
        {
            ("x86_64" or "x86-64", var v) => platform with { Architecture = "amd64", Variant = v },
            ("aarch64", var v) => platform with { Architecture = "arm64", Variant = v },
            ("armhf", null) => platform with { Architecture = "arm", Variant = "v7" },
            ("armel", null) => platform with { Architecture = "arm", Variant = "v6" },
            ("i386" or "i486" or "i586" or "i686" or "x86", var v) => platform with { Architecture = "386", Variant = v },
            ("arm" or "arm64", [>= '1' and <= '9', ..] and var v) => platform with { Variant = $"v{v}" },
            _ => platform,
        };

    /// <summary>The written form, <c>os/arch[/variant]</c>.</summary>
    public override string ToString() => Variant is null or "" ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
}
