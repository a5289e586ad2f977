using System.CommandLine;
using Microsoft.Win32.SafeHandles;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary><c>oci load</c>: takes the images of an archive or a directory into the store.</summary>
internal sealed class LoadCommand : Verb
{
    private readonly Option<string?> _input = new("--input", "-i")
    {
        Description = "Load images from specified archive file or directory (default: stdin)",
        HelpName = "string",
    };

    private readonly Option<string?> _policy = new("--signature-policy")
    {
        Description = "Pathname of the signature policy file (default policy.json of the user, else /etc/containers/policy.json)",
        HelpName = "Pathname",
    };

    private readonly PlatformFlags _platform;
    private readonly ProgressFlags _progress;

    public LoadCommand()
        : base("load", "Load image(s) from a tar archive")
    {
        Details = "Takes all images of an archive, or of a directory, into the store, and prints their names. What the archive is, is found out: "
            + "what docker, podman or skopeo save, compressed by gzip, zstd, xz or bzip2 or not, an OCI image layout, or the directory of skopeo's dir:.\n\n"
            + "What a policy.json says of its transport holds: one that asks for a signature refuses it, because archives have none that is checked.";
        Examples = ["load -i fedora.tar", "load < fedora.oci.tar.zst", "load -i layout/", "load --all-platforms -i fedora.oci.tar"];
        Add(_input);
        _platform = new PlatformFlags(this, canBeAll: true);
        _progress = new ProgressFlags(this, "loading");
        Add(_policy);
        SetAction(LoadAsync);
    }

    private async Task<int> LoadAsync(ParseResult command, CancellationToken cancellationToken)
    {
        string? input = command.GetValue(_input);
        using SafeFileHandle standard = new(0, ownsHandle: false);
        if (input is null && Terminal.Is(standard))
        {
            throw new OciException("cannot read from terminal, use command-line redirection or the --input flag");
        }

        PlatformChoice platform = _platform.Read(command);
        using TransportImages archive = TransportImages.Recognize(input);
        TransportPolicy.Require(command.GetValue(_policy), TransportScopes.Of(archive.Kind, input));
        using CopyProgress progress = CopyProgress.Create(
            _progress.Read(command), command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        ImageStore images = new(Global.OpenStore());
        foreach (TransportImage image in archive.Images)
        {
            LoadedImage loaded = await LoadedImage.TakeAsync(image, images, platform, progress, cancellationToken);
            foreach (string line in loaded.Names.DefaultIfEmpty(loaded.Id.ToString()))
            {
                await command.InvocationConfiguration.Output.WriteLineAsync($"Loaded image: {line}");
            }
        }

        return ExitCode.Success;
    }
}
