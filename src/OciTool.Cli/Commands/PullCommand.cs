using System.CommandLine;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci pull IMAGE...</c>: copies images from registries to the store.</summary>
internal sealed class PullCommand : Verb
{
    private readonly Argument<string[]> _images = new("IMAGE")
    {
        Description = "The images' names.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly PlatformFlags _platform;
    private readonly RegistryFlags _registry;
    private readonly ProgressFlags _progress;

    public PullCommand()
        : base("pull", "Pull an image from a registry")
    {
        Details = "Copies images from registries to the store, ready to run, and prints their IDs.\n\n"
            + "What is there already is not transferred again, and a transfer that was cut goes on where it ended. A name "
            + "without a registry means docker.io.";
        Operands = "IMAGE [IMAGE...]";
        Examples =
        [
            "pull quay.io/fedora/fedora:34",
            "pull -q --platform linux/arm64 alpine",
            "pull --creds user:password registry.example.com/team/app@sha256:…",
        ];
        OperandKind = OperandKind.Image;
        Add(_images);
        _platform = new PlatformFlags(this);
        _registry = new RegistryFlags(this);
        _progress = new ProgressFlags(this);
        SetAction(PullAsync);
    }

    private async Task<int> PullAsync(ParseResult command, CancellationToken cancellationToken)
    {
        (Platform platform, _) = _platform.Read(command);
        ImagePull pull = new(Global, _registry.Read(command), _progress.Read(command), command.InvocationConfiguration.Error, _registry.ReadPolicy(command));
        List<Reference> references = [.. command.GetRequiredValue(_images).Select(Reference.Parse)]; // a mistake ends it before any transfer
        ImageStore images = new(Global.OpenStore());
        foreach (Reference reference in references)
        {
            CopiedImage copied = await pull.RunAsync(reference, platform, images, cancellationToken);
            await command.InvocationConfiguration.Output.WriteLineAsync(copied.Manifest.Config.Digest.Hex);
        }

        return ExitCode.Success;
    }
}
