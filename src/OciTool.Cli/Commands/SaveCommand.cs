using System.CommandLine;
using Microsoft.Win32.SafeHandles;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary><c>oci save IMAGE...</c>: writes images of the store to an archive or a directory.</summary>
internal sealed class SaveCommand : Verb
{
    private static readonly string[] Formats = ["oci-dir", "oci-archive", "docker-dir", "docker-archive"];

    private readonly Argument<string[]> _images = new("IMAGE")
    {
        Description = "The images' names or IDs; without -m, further words are more names for the first.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _allPlatforms = new("--all-platforms") { Description = "Keep the index with all platforms, which must be in the store (oci-archive, oci-dir)" };
    private readonly Option<bool> _compress = new("--compress") { Description = "Compress image layers when saving to a docker-dir" };

    private readonly Option<string> _format = new("--format")
    {
        Description = "Save image to oci-archive, oci-dir (directory with OCI manifest type), docker-archive, docker-dir (directory with v2s2 manifest type) (default \"docker-archive\")",
        HelpName = "string",
        DefaultValueFactory = _ => "docker-archive",
    };

    private readonly Option<bool> _multi = new("--multi-image-archive", "-m") { Description = "Interpret additional arguments as images not tags and create a multi-image archive" };

    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Write to a specified file (default: stdout, which must be redirected)",
        HelpName = "string",
    };

    private readonly PlatformFlags _platform;
    private readonly ProgressFlags _progress;

    public SaveCommand()
        : base("save", "Save image(s) to an archive")
    {
        Details = "Writes images of the store to a file, a directory or the standard output. The same images give the same bytes: owners are 0, "
            + "names are sorted, and times are SOURCE_DATE_EPOCH or 0. An image keeps its manifest and so its digest where the form "
            + "has manifests of its kind: OCI's in oci-archive and oci-dir, Docker's in docker-dir; else it is converted. A docker-archive has no manifest, and keeps the image's ID.";
        Operands = "IMAGE [IMAGE...]";
        Examples =
        [
            "save -o fedora.tar fedora:34",
            "save --format oci-archive --all-platforms -o fedora.oci.tar fedora:34",
            "save -m alpine busybox | ssh host oci load",
        ];
        OperandKind = OperandKind.Image;
        Add(_images);
        Add(_allPlatforms);
        Add(_compress);
        Add(_format);
        Add(_multi);
        Add(_output);
        _platform = new PlatformFlags(this);
        _progress = new ProgressFlags(this, "saving");
        SetAction(SaveAsync);
    }

    private async Task<int> SaveAsync(ParseResult command, CancellationToken cancellationToken)
    {
        TransportName target = Target(command);
        bool isMulti = command.GetValue(_multi);
        bool all = command.GetValue(_allPlatforms);
        (Platform platform, bool byName, _) = _platform.Read(command);
        if (all && byName)
        {
            throw new UsageException("--all-platforms cannot be used with --platform, --arch, --os or --variant");
        }

        string[] words = command.GetRequiredValue(_images);
        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        List<(StoredImage Image, List<string> Names)> chosen = [];
        foreach (string word in isMulti ? words : words.AsSpan(0, 1))
        {
            StoredImage image = images.Find(word, byName ? platform : null) ?? throw new ImageNotHereException(word);
            Add(chosen, image, image.Name is null ? [] : [image.Name]);
        }

        foreach (string word in isMulti ? [] : words.AsSpan(1))
        {
            chosen[0].Names.Insert(chosen[0].Names.Count - (chosen[0].Image.Name is null ? 0 : 1), ImageNameInput.ParseLocal(word).Canonical);
        }

        using CopyProgress progress = CopyProgress.Create(
            _progress.Read(command), command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        using LayerRecompressor recompressor = new(root, level: null, progress.Note);
        using StandardOutput output = new(1);
        TransportWriter writer = new(target);
        bool toFile = command.GetValue(_output) is not null;
        if (toFile)
        {
            writer.RequireWritable();
        }

        ImageConversion conversion = new(
            target.Kind == TransportKind.Directory ? ManifestFormat.Docker : target.Format, command.GetValue(_compress) ? LayerCompression.Gzip : null);
        List<StoredImageSource> sources = [];
        try
        {
            foreach ((StoredImage image, List<string> names) in chosen)
            {
                StoredImageSource source = StoredImageSource.Open(root, images, all ? image.Root : image.ManifestDocument.Descriptor);
                sources.Add(source);
                await ImageCopier.CopyAllAsync(
                    new ConvertedSource(source, conversion, recompressor, progress.Warn), writer.Open(names), progress, cancellationToken);
            }

            await (toFile ? writer.FinishAsync(progress, cancellationToken) : writer.WriteToAsync(output, progress, cancellationToken));
        }
        finally
        {
            sources.ForEach(source => source.Dispose());
        }

        return ExitCode.Success;
    }

    // one image under two names is in the archive once
    private static void Add(List<(StoredImage Image, List<string> Names)> chosen, StoredImage image, List<string> names)
    {
        int known = chosen.FindIndex(other => other.Image.Id == image.Id);
        if (known < 0)
        {
            chosen.Add((image, names));
            return;
        }

        chosen[known].Names.AddRange(names.Except(chosen[known].Names));
    }

    private TransportName Target(ParseResult command)
    {
        string format = command.GetValue(_format)!;
        if (!Formats.Contains(format))
        {
            throw new UsageException($"format value must be one of {string.Join(' ', Formats)}");
        }

        if (command.GetValue(_compress) && format != "docker-dir")
        {
            throw new UsageException("--compress can only be set when --format is 'docker-dir'");
        }

        if (command.GetValue(_multi) && format is "oci-dir" or "docker-dir")
        {
            throw new OciException($"unsupported format \"{format}\" for saving multiple images (only docker-archive and oci-archive)");
        }

        if (command.GetValue(_allPlatforms) && !format.StartsWith("oci-", StringComparison.Ordinal))
        {
            throw new UsageException($"--all-platforms needs --format oci-archive or oci-dir: {format} holds one platform");
        }

        string? output = command.GetValue(_output);
        if (output?.Contains(':', StringComparison.Ordinal) == true)
        {
            throw new OciException($"invalid filename (should not contain ':') \"{Printable.Shorten(output)}\"");
        }

        if (output is null && format.EndsWith("-dir", StringComparison.Ordinal))
        {
            throw new UsageException($"--format {format} needs --output: a directory cannot be written to the standard output");
        }

        using SafeFileHandle standard = new(1, ownsHandle: false);
        return output is null && Terminal.Is(standard)
            ? throw new OciException("refusing to save to terminal. Use -o flag or redirect")
            : new TransportName(
                format switch
                {
                    "oci-archive" => TransportKind.OciArchive,
                    "oci-dir" => TransportKind.OciLayout,
                    "docker-dir" => TransportKind.Directory,
                    _ => TransportKind.DockerArchive,
                },
                output ?? "/dev/stdout",
                Image: null);
    }
}
