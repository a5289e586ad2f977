using System.CommandLine;
using Microsoft.Extensions.Logging;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Images.Verification;
using OciTool.Registry;
using OciTool.Storage;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary><c>oci copy SOURCE DESTINATION</c>: copies an image between registries, archives, directories and other engines; the store has no part in it.</summary>
internal sealed class CopyCommand : Verb
{
    private readonly Argument<string> _source = new("SOURCE") { Description = "The image's name." };
    private readonly Argument<string> _destination = new("DESTINATION") { Description = "The name to copy it to." };

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Copy the index with all platforms, attestations and other artifacts" };

    private readonly Option<bool> _preserveDigests = new("--preserve-digests") { Description = "Fail where a digest would have to change" };

    private readonly DigestFileFlag _digestFile;
    private readonly ConversionFlags _conversion;
    private readonly PlatformFlags _platform;
    private readonly ProgressFlags _progress;
    private readonly RegistryFlags _registry;
    private readonly CopyEndFlags _from;
    private readonly CopyEndFlags _to;
    private readonly SigningFlags _signing;

    public CopyCommand()
        : base("copy", "Copy an image between registries, archives, directories and engines")
    {
        Details = "Copies an image without the store: what is read is written at once, and nothing is kept. A name is that of a registry, or "
            + "begins with a transport: docker://NAME, oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME|@INDEX], dir:DIRECTORY, "
            + "docker-daemon:NAME:TAG|sha256:ID, or containers-storage:NAME|ID, which is the store of podman, buildah and CRI-O. "
            + "Bytes and digests stay as they are unless another format is asked for, or the destination needs one.\n\n"
            + "What the destination has already does not travel, and inside one registry nothing has to. A connection that breaks on "
            + "either side is replaced, and the copy goes on where it was. The name is written last.";
        Operands = "SOURCE DESTINATION";
        Examples =
        [
            "copy --all quay.io/fedora/fedora:34 registry.example.com/mirror/fedora:34",
            "copy --platform linux/arm64 docker://alpine docker://registry.example.com/alpine:arm64",
            "copy docker-daemon:app:dev oci-archive:app.tar:app:dev",
            "copy --src-creds a:b --dest-creds c:d old.example.com/app:1 new.example.com/app:1",
        ];
        Add(_source);
        Add(_destination);
        Add(_all);
        _digestFile = new DigestFileFlag(this, "copied");
        Add(_preserveDigests);
        _conversion = new ConversionFlags(this);
        _platform = new PlatformFlags(this, canBeLax: true);
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
        (ImageConversion conversion, int? level) = _conversion.Read(command, command.GetValue(_preserveDigests));
        PlatformChoice platform = _platform.Read(command);
        bool all = command.GetValue(_all);
        if (all && platform.ByName)
        {
            throw new UsageException("--all cannot be used with --platform, --arch, --os or --variant");
        }

        string typed = command.GetRequiredValue(_source);
        ImageEnd from = ImageEnd.Parse(typed);
        ImageEnd to = ImageEnd.Parse(command.GetRequiredValue(_destination));
        RegistryOptions both = _registry.Read(command);
        using ILoggerFactory loggers = Logs.Create(Global.LogLevel);
        using CopyProgress progress = CopyProgress.Create(
            _progress.Read(command), command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        RegistryContext context = new(both, loggers, TimeProvider.System, progress.Warn);
        using LayerRecompressor? recompressor = conversion.Compression is null ? null : new(Global.OpenStore(), level, progress.Note);
        Document copied;
        if (from.Transport is { } transport)
        {
            using TransportImages images = await TransportEnd.OpenAsync(transport, _registry.ReadPolicy(command), cancellationToken);
            TransportImage image = images.Choose(transport);
            copied = await SendAsync(image.Source, image.Names);
        }
        else
        {
            Reference name = from.Registry!;
            PolicyRule rule = Policy.Load(_registry.ReadPolicy(command), Environment.GetEnvironmentVariable).For(name);
            RegistryContext fromContext = context with { Options = _from.Read(command, both) };
            await using RegistryImageSource registry = RegistryImageSource.Create(name, fromContext);
            copied = await SendAsync(new PolicedImageSource(registry, name, rule, new RegistrySignatures(name, fromContext)), name.Tag is null ? [] : [name.Canonical]);
        }

        _digestFile.Write(command, copied.Digest);
        return ExitCode.Success;

        void Accept(ImageConfig config)
        {
            platform.Require(typed, config);
            if (!platform.Matches(config))
            {
                progress.Warn(platform.Mismatch(config));
            }
        }

        async Task<Document> SendAsync(IImageSource source, IReadOnlyList<string> names)
        {
            ConvertedSource converted = new(
                all ? source : new PlatformSource(source, platform.Platform, platform.ByName ? Accept : null),
                conversion with { Format = conversion.Format ?? to.Transport?.Format },
                recompressor,
                progress.Warn);
            if (to.Transport is { } target)
            {
                return await TransportEnd.CopyAsync(converted, names, target, progress, cancellationToken);
            }

            string? mountFrom = from.Registry is null ? null : RegistryImageDestination.MountFrom(from.Registry, to.Registry!);
            await using RegistryImageDestination destination = RegistryImageDestination.Create(
                to.Registry!, mountFrom, context with { Options = _to.Read(command, both) });
            return await ImageCopier.CopyAllAsync(converted, destination, progress, cancellationToken);
        }
    }
}
