using System.CommandLine;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary><c>oci pull IMAGE...</c>: copies images from registries to the store.</summary>
internal sealed class PullCommand : Verb
{
    private readonly Argument<string[]> _images = new("IMAGE")
    {
        Description = "The images' names.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _policy = new("--policy")
    {
        Description = "Pull image policy (\"always\"|\"missing\"|\"never\"|\"newer\") (default \"always\")",
        HelpName = "string",
        DefaultValueFactory = _ => "always",
    };

    private readonly PlatformFlags _platform;
    private readonly RegistryFlags _registry;
    private readonly ProgressFlags _progress;

    public PullCommand()
        : base("pull", "Pull an image from a registry")
    {
        Details = "Copies images from registries to the store, ready to run, and prints their IDs.\n\n"
            + "What is there already is not transferred again, and a transfer that was cut goes on where it ended. A name "
            + "without a registry is looked up as registries.conf says; where it says nothing, the name means docker.io. A name may begin "
            + "with a transport, such as oci-archive: or containers-storage:, as for 'oci copy'.\n\n"
            + "Of an index, the platform that this machine runs is taken; with --all-platforms, all that is in it, so that save --all-platforms and "
            + "push --all hand on the very same index.\n\n"
            + "With OCI_OFFLINE=1 in the environment no verb opens a connection: what needs one fails, all else works with the images that are here.";
        Operands = "IMAGE [IMAGE...]";
        Examples =
        [
            "pull quay.io/fedora/fedora:34",
            "pull -q --platform linux/arm64 alpine",
            "pull --all-platforms quay.io/fedora/fedora:34",
            "pull --creds user:password registry.example.com/team/app@sha256:…",
        ];
        OperandKind = OperandKind.Image;
        Add(_images);
        Add(_policy);
        _platform = new PlatformFlags(this, canBeLax: true, canBeAll: true);
        _registry = new RegistryFlags(this, takesImages: true);
        _progress = new ProgressFlags(this);
        SetAction(PullAsync);
    }

    private async Task<int> PullAsync(ParseResult command, CancellationToken cancellationToken)
    {
        PlatformChoice platform = _platform.Read(command);
        ImagePull pull = new(Global, _registry.Read(command), _progress.Read(command), command.InvocationConfiguration.Error, _registry.ReadPolicy(command));
        PullPolicy policy = PullPolicies.Parse(command.GetValue(_policy)!);
        if (platform.All && policy != PullPolicy.Always)
        {
            throw new UsageException("--all-platforms needs --policy always: what is here of an index may be one platform");
        }

        string[] names = command.GetRequiredValue(_images);
        Array.ForEach(Array.FindAll(names, name => TransportName.TryParse(name) is null), name => Reference.Parse(name)); // a mistake ends it before any transfer
        ImageStore images = new(Global.OpenStore());
        foreach (string name in names)
        {
            Digest id = TransportName.TryParse(name) is { } transport ? await TakeAsync(transport, platform, images, command, cancellationToken)
                : policy == PullPolicy.Always
                ? (await pull.RunAsync(name, platform, images, cancellationToken)).Copied.Manifest.Config.Digest
                : new ImageRequest(name, platform, policy).Obtain(images, () => pull).Id;
            await command.InvocationConfiguration.Output.WriteLineAsync(id.Hex);
        }

        return ExitCode.Success;
    }

    private async Task<Digest> TakeAsync(
        TransportName name, PlatformChoice platform, ImageStore images, ParseResult command, CancellationToken cancellationToken)
    {
        using TransportImages archive = await TransportEnd.OpenAsync(name, _registry.ReadPolicy(command), cancellationToken);
        using CopyProgress progress = CopyProgress.Create(
            _progress.Read(command), command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        return (await LoadedImage.TakeAsync(archive.Choose(name), images, platform, progress, cancellationToken)).Id;
    }
}
