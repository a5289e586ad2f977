using System.CommandLine;
using System.Globalization;
using OciTool.Cli.Compatibility;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci compat IMAGE</c>: says whether an image runs on a host, without running it.</summary>
internal sealed class CompatCommand : Verb
{
    private const int LargestHostFile = 1 << 20;

    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    private readonly Option<string?> _platform = new("--platform") { Description = "Look at the image for this platform, os/arch[/variant]", HelpName = "string" };

    private readonly Option<string> _host = new("--host")
    {
        Description = "The host to decide for: live, or a file that oci info --host-facts wrote (default \"live\")",
        HelpName = "string",
        DefaultValueFactory = _ => "live",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print every check with its evidence, as JSON" };

    private readonly Option<bool> _strict = new("--strict") { Description = "Exit with 1 when there are warnings" };

    private readonly RegistryFlags _registry;

    public CompatCommand()
        : base("compat", "Check whether an image runs on a host")
    {
        Details = "Looks at an image and at a host, and says three things: whether other engines can read the image, whether it would start, and "
            + "whether somebody supports the pairing. Nothing of the image is executed. An image that is not in the store is asked for in its registry, "
            + "and as little of it is read as the answer needs.\n\n"
            + "The exit status is 0 when nothing is in the way, 1 with --strict when there are warnings, 2 when the image would not start, "
            + "3 when that is not known, and 125 when oci itself fails.";
        Operands = "IMAGE";
        Examples =
        [
            "compat quay.io/fedora/fedora:34",
            "compat --platform linux/arm64 --json alpine",
            "compat --host build-server.json --strict registry.example.org/app:1",
        ];
        OperandKind = OperandKind.Image;
        Add(_image);
        Add(_host);
        Add(_json);
        Add(_platform);
        Add(_strict);
        _registry = new RegistryFlags(this);
        SetAction(CheckAsync);
    }

    private async Task<int> CheckAsync(ParseResult command, CancellationToken cancellationToken)
    {
        string name = command.GetRequiredValue(_image);
        Platform? platform = command.GetValue(_platform) is { } text ? Platform.Parse(text) : null;
        StorageRoot store = Global.OpenStore();
        bool isLive = command.GetValue(_host) is null or "live";
        Images.Compatibility.HostFacts host = isLive ? HostSurvey.Take(store, []) : ReadHost(command.GetValue(_host)!);
        ImageStore images = new(store);
        (ImageFacts facts, Digest digest) = Find(images, name, platform) is { } image
            ? (LocalCompatibility.Read(images, image, host), image.ManifestDocument.Digest)
            : await RemoteCompatibility.ReadAsync(name, images, platform ?? Platform.Host, host, Global, command, _registry, cancellationToken);
        host = isLive ? HostSurvey.For(facts, host) : host;
        CompatibilityReport report = CompatibilityReport.Make(name, digest, facts, host, Today(host));
        TextWriter output = command.InvocationConfiguration.Output;
        await output.WriteAsync(command.GetValue(_json) ? $"{report.ToJson()}\n" : report.ToText());
        return report.ExitCode(command.GetValue(_strict));
    }

    private static StoredImage? Find(ImageStore images, string name, Platform? platform)
    {
        try
        {
            return images.Find(name, platform) is { } image && (platform is null || PlatformMatcher.Score(platform, image.Config.Platform) > 0) ? image : null;
        }
        catch (PlatformNotAtHandException)
        {
            return null; // the registry may have it
        }
    }

    private static Images.Compatibility.HostFacts ReadHost(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read);
            byte[] bytes = new byte[LargestHostFile + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= LargestHostFile
                ? Images.Compatibility.HostFacts.Parse(bytes.AsSpan(0, length), Printable.Shorten(path))
                : throw new OciException($"host facts '{Printable.Shorten(path)}': more than {LargestHostFile} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"cannot read host facts '{Printable.Shorten(path)}': {e.Message}", e);
        }
    }

    private static DateTimeOffset Today(Images.Compatibility.HostFacts host) => SourceDate.Read()
        ?? (DateTimeOffset.TryParse(host.Now, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset then)
            ? then : TimeProvider.System.GetUtcNow());
}
