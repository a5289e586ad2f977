using System.CommandLine;
using Microsoft.Extensions.Logging;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Images.Verification;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci copy SOURCE DESTINATION</c>: copies an image from registry to registry; the store has no part in it.</summary>
internal sealed class CopyCommand : Verb
{
    private readonly Argument<string> _source = new("SOURCE") { Description = "The image's name." };
    private readonly Argument<string> _destination = new("DESTINATION") { Description = "The name to copy it to." };

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Copy the index with all platforms, attestations and other artifacts" };

    private readonly Option<string?> _digestFile = new("--digestfile")
    {
        Description = "Write the digest of the copied image to the specified file",
        HelpName = "string",
    };

    private readonly Option<bool> _preserveDigests = new("--preserve-digests") { Description = "Fail where a digest would have to change" };

    private readonly ConversionFlags _conversion;
    private readonly PlatformFlags _platform;
    private readonly ProgressFlags _progress;
    private readonly RegistryFlags _registry;
    private readonly CopyEndFlags _from;
    private readonly CopyEndFlags _to;
    private readonly SigningFlags _signing;

    public CopyCommand()
        : base("copy", "Copy an image from registry to registry")
    {
        Details = "Copies an image between registries, or inside one, without the store: what is read is written at once, and nothing is kept. "
            + "Bytes and digests stay as they are unless another format is asked for.\n\n"
            + "What the destination has already does not travel, and inside one registry nothing has to. A connection that breaks on "
            + "either side is replaced, and the copy goes on where it was. The name is written last.";
        Operands = "SOURCE DESTINATION";
        Examples =
        [
            "copy --all quay.io/fedora/fedora:34 registry.example.com/mirror/fedora:34",
            "copy --platform linux/arm64 docker://alpine docker://registry.example.com/alpine:arm64",
            "copy --src-creds a:b --dest-creds c:d old.example.com/app:1 new.example.com/app:1",
        ];
        Add(_source);
        Add(_destination);
        Add(_all);
        Add(_digestFile);
        Add(_preserveDigests);
        _conversion = new ConversionFlags(this, compresses: false);
        _platform = new PlatformFlags(this);
        _progress = new ProgressFlags(this, "copying");
        _registry = new RegistryFlags(this, takesImages: true);
        _from = new CopyEndFlags(this, "src", "source");
        _to = new CopyEndFlags(this, "dest", "destination");
        _signing = new SigningFlags(this);
        SetAction(CopyAsync);
    }

    private async Task<int> CopyAsync(ParseResult command, CancellationToken cancellationToken)
    {
        _signing.Refuse(command);
        (ImageConversion conversion, _) = _conversion.Read(command, command.GetValue(_preserveDigests));
        (Platform platform, bool byName, _) = _platform.Read(command);
        bool all = command.GetValue(_all);
        if (all && byName)
        {
            throw new UsageException("--all cannot be used with --platform, --arch, --os or --variant");
        }

        Reference from = TransferTargets.Parse(command.GetRequiredValue(_source));
        Reference to = TransferTargets.Parse(command.GetRequiredValue(_destination));
        PolicyRule rule = Policy.Load(_registry.ReadPolicy(command), Environment.GetEnvironmentVariable).For(from);
        RegistryOptions both = _registry.Read(command);
        using ILoggerFactory loggers = Logs.Create(Global.LogLevel);
        using CopyProgress progress = CopyProgress.Create(
            _progress.Read(command), command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        RegistryContext context = new(both, loggers, TimeProvider.System, progress.Warn);
        RegistryContext fromContext = context with { Options = _from.Read(command, both) };
        await using RegistryImageSource registry = RegistryImageSource.Create(from, fromContext);
        PolicedImageSource policed = new(registry, from, rule, new RegistrySignatures(from, fromContext));
        await using RegistryImageDestination destination = RegistryImageDestination.Create(
            to, RegistryImageDestination.MountFrom(from, to), context with { Options = _to.Read(command, both) });
        IImageSource source = all ? policed : new PlatformSource(policed, platform);
        Document copied = await ImageCopier.CopyAllAsync(
            new ConvertedSource(source, conversion, recompressor: null, progress.Warn), destination, progress, cancellationToken);
        TransferTargets.WriteDigest(command.GetValue(_digestFile), copied.Digest);
        return ExitCode.Success;
    }
}
