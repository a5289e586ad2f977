using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Images.Verification;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci verify IMAGE --key FILE</c>: checks the signatures of an image in a registry.</summary>
internal sealed class VerifyCommand : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name." };

    private readonly Option<string?> _format = new("--format")
    {
        Description = "Print by a Go template, or as JSON with json",
        HelpName = "string",
    };

    private readonly Option<string?> _identity = new("--identity")
    {
        Description = "Repository that the signature must name (default the image's own)",
        HelpName = "repository",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print as JSON" };

    private readonly Option<string[]> _keys = new("--key")
    {
        Description = "Pathname of a public key in PEM form; of several, one has to fit",
        HelpName = "Pathname",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly RegistryFlags _registry;

    public VerifyCommand()
        : base("verify", "Verify the signatures of an image in a registry")
    {
        Details = "Looks for signatures that cosign, podman or skopeo made with a key, under the tag that cosign uses and among the "
            + "image's referrers, and prints those that hold. Nothing is pulled.\n\n"
            + "A signature holds when one of the keys made it, it is for the digest that the name stands for, and it names the image's "
            + "repository. The signature of an index vouches for the images of all its platforms.";
        Operands = "IMAGE";
        Examples =
        [
            "verify --key cosign.pub quay.io/team/app:1.0",
            "verify --key cosign.pub --identity quay.io/team/app mirror.example.com/team/app:1.0",
            "verify --key cosign.pub --format '{{.Digest}}' quay.io/team/app:1.0",
        ];
        TemplateFields = ["Annotations", "Digest", "Image", "Key", "Origin", "Reference"];
        Add(_image);
        Add(_format);
        Add(_identity);
        Add(_json);
        Add(_keys);
        _registry = new RegistryFlags(this);
        SetAction(VerifyAsync);
    }

    private async Task<int> VerifyAsync(ParseResult command, CancellationToken cancellationToken)
    {
        if (command.GetValue(_keys) is not { Length: > 0 } files)
        {
            throw new UsageException("verify needs a public key: name its file with --key");
        }

        List<SignatureKey> keys = [.. files.Select(SignatureKey.ReadFile)];
        string? format = command.GetValue(_json) ? "json" : command.GetValue(_format);
        RowFormat? rows = format is null or "json" ? null : RowFormat.Parse(Name, format);
        SignatureCheck check = new(keys, Identity(command.GetValue(_identity)));
        List<VerifiedSignatureView> verified = await CheckAsync(check, command, cancellationToken);

        TextWriter output = command.InvocationConfiguration.Output;
        if (rows is not null)
        {
            rows.Write(output, [.. verified.Select(signature => TemplateValue.Of(signature, OutputJson.Default.VerifiedSignatureView, "main.signature"))]);
        }
        else if (format is not null)
        {
            JsonOutput.Write(output, verified.ToArray(), OutputJson.Default.VerifiedSignatureViewArray, JsonLayout.Containers);
        }
        else
        {
            foreach (VerifiedSignatureView signature in verified)
            {
                signature.Write(output);
            }
        }

        return ExitCode.Success;
    }

    private async Task<List<VerifiedSignatureView>> CheckAsync(
        SignatureCheck check, ParseResult command, CancellationToken cancellationToken)
    {
        using RegistrySession session = new(Global, _registry.Read(command), command.InvocationConfiguration.Error);
        Reference image = session.Resolve(command.GetRequiredValue(_image));
        await using RegistryImageSource source = RegistryImageSource.Create(image, session.Context);
        Document root = await source.ResolveAsync(cancellationToken);
        List<VerifiedSignatureView> verified = [];
        await foreach (ImageSignature signature in new RegistrySignatures(image, session.Context).ReadAsync(root, cancellationToken))
        {
            if (check.Accept(signature, image, root) is { } accepted)
            {
                verified.Add(VerifiedSignatureView.Of(image, accepted));
            }
        }

        return verified.Count > 0 ? verified : throw new OciException($"cannot verify {image}: {check.Refusal()}");
    }

    private static SignedIdentity Identity(string? repository) =>
        repository is null ? new MatchRepository()
        : SignedReference.TryParse(repository, out SignedReference? name) && name.IsNameOnly ? new ExactRepository(name.Reference.Name)
        : throw new UsageException($"invalid identity '{Printable.Shorten(repository)}': want the name of a repository");
}
