using System.CommandLine;
using Microsoft.Extensions.Logging;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci push IMAGE [DESTINATION]</c>: copies an image from the store to a registry.</summary>
internal sealed class PushCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };

    private readonly Argument<string?> _destination = new("DESTINATION")
    {
        Description = "The name to push it to; the image's own by default.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Push the index with all platforms, which must be in the store" };

    private readonly Option<bool> _disableContentTrust = new("--disable-content-trust") { Description = "Does nothing: it is docker's" };

    private readonly DigestFileFlag _digestFile;
    private readonly ConversionFlags _conversion;
    private readonly PlatformFlags _platform;
    private readonly ProgressFlags _progress;
    private readonly RegistryFlags _registry;
    private readonly SigningFlags _signing;

    /// <summary>Creates the verb.</summary>
    /// <param name="ofList">Whether it is <c>oci manifest push</c>, which pushes the whole index when nobody says otherwise.</param>
    public PushCommand(bool ofList = false)
        : base("push", ofList ? "Push a manifest list or image index to a registry" : "Push an image to a registry")
    {
        _all.DefaultValueFactory = _ => ofList;
        Details = "Copies an image from the store to a registry. Its bytes and so its digest stay what they were when it was pulled, unless "
            + "another format or compression is asked for. A destination may begin with a transport, such as oci-archive: or docker-daemon:, "
            + "as for 'oci copy'.\n\n"
            + "What is in the registry already is not sent again. An upload that is cut goes on where the registry is. "
            + "The name is written last.";
        Operands = "IMAGE [DESTINATION]";
        Examples =
        [
            "push quay.io/team/app:1",
            "push alpine registry.example.com/mirror/alpine:3.20",
            "push --all --creds user:password app docker://registry.example.com/team/app:1",
        ];
        OperandKind = OperandKind.Image;
        Add(_image);
        Add(_destination);
        Add(_all);
        _digestFile = new DigestFileFlag(this, "pushed");
        Add(_disableContentTrust);
        _conversion = new ConversionFlags(this);
        _platform = new PlatformFlags(this);
        _progress = new ProgressFlags(this, "pushing");
        _registry = new RegistryFlags(this);
        _signing = new SigningFlags(this);
        SetAction(PushAsync);
    }

    private async Task<int> PushAsync(ParseResult command, CancellationToken cancellationToken)
    {
        _signing.Refuse(command);
        (ImageConversion conversion, int? level) = _conversion.Read(command);
        (Platform platform, bool byName, _) = _platform.Read(command);
        bool all = command.GetValue(_all);
        if (all && byName)
        {
            throw new UsageException("--all cannot be used with --platform, --arch, --os or --variant");
        }

        string nameOrId = command.GetRequiredValue(_image);
        ImageEnd? end = command.GetValue(_destination) is { } typed ? ImageEnd.Parse(typed) : null; // a mistake ends it before anything is read
        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        StoredImage image = images.Find(nameOrId, byName ? platform : null) ?? throw new ImageNotKnownException(nameOrId);
        Reference? target = end is null ? OwnName(image, nameOrId) : end.Registry;

        using ILoggerFactory loggers = Logs.Create(Global.LogLevel);
        using CopyProgress progress = CopyProgress.Create(
            _progress.Read(command), command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        RegistryContext context = new(_registry.Read(command), loggers, TimeProvider.System, progress.Warn);
        using StoredImageSource stored = StoredImageSource.Open(root, images, all ? image.Root : image.ManifestDocument.Descriptor);
        using LayerRecompressor recompressor = new(root, level, progress.Note);
        ConvertedSource source = new(
            stored, conversion with { Format = conversion.Format ?? end?.Transport?.Format }, recompressor, progress.Warn);
        Document pushed = target is null
            ? await TransportEnd.CopyAsync(source, image.Name is null ? [] : [image.Name], end!.Transport!, progress, cancellationToken)
            : await SendAsync(target, source, image, context, progress, cancellationToken);
        _digestFile.Write(command, pushed.Digest);
        return ExitCode.Success;
    }

    private static async Task<Document> SendAsync(
        Reference target, ConvertedSource source, StoredImage image, RegistryContext context, CopyProgress progress, CancellationToken cancellationToken)
    {
        await using RegistryImageDestination destination = RegistryImageDestination.Create(target, MountFrom(image, target), context);
        return await ImageCopier.CopyAllAsync(source, destination, progress, cancellationToken);
    }

    private static Reference OwnName(StoredImage image, string nameOrId)
    {
        string? name = image.Name ?? (image.Summary.Names is [var only] ? only : null);
        return Reference.TryParse(name, provider: null, out Reference? reference)
            ? reference
            : throw new UsageException($"where to push {Printable.Shorten(nameOrId)} to? It has {image.Summary.Names.Count} names: name the destination");
    }

    // its blobs are likely to be where it was pulled from
    private static string? MountFrom(StoredImage image, Reference target) => image.Summary.Names
        .Select(name => Reference.TryParse(name, provider: null, out Reference? known) ? RegistryImageDestination.MountFrom(known, target) : null)
        .FirstOrDefault(repository => repository is not null);
}
