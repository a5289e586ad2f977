using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci referrers IMAGE</c>: lists what refers to an image in its registry.</summary>
internal sealed class ReferrersCommand : Verb
{
    private static readonly Dictionary<string, string> Headings = new() { ["ArtifactType"] = "ARTIFACT TYPE", ["MediaType"] = "MEDIA TYPE" };

    private readonly Argument<string> _image = new("IMAGE") { Description = "The image, index or artifact." };
    private readonly Option<string?> _artifactType = new("--artifact-type") { Description = "Only artifacts of this type", HelpName = "string" };
    private readonly Option<string?> _format = new("--format") { Description = "Change the output format to JSON or a Go template", HelpName = "string" };
    private readonly RegistryFlags _registry;

    public ReferrersCommand()
        : base("referrers", "List the signatures, attestations and other artifacts of an image in a registry")
    {
        Details = "Lists the manifests whose subject is the image: signatures, attestations, bills of materials. A registry without an "
            + "API for them is asked for the tag that lists them, sha256-<digest>.\n\n"
            + "The list is the registry's word, and nothing in it is verified.";
        Operands = "IMAGE";
        Examples =
        [
            "referrers quay.io/fedora/fedora:34",
            "referrers --artifact-type application/spdx+json registry.example.com/app@sha256:…",
            "referrers --format '{{.Digest}} {{.Annotations}}' registry.example.com/app",
        ];
        TemplateFields = ["Digest", "ArtifactType", "MediaType", "Size", "Annotations"];
        Add(_image);
        Add(_artifactType);
        Add(_format);
        _registry = new RegistryFlags(this);
        SetAction(ListAsync);
    }

    private async Task<int> ListAsync(ParseResult command, CancellationToken cancellationToken)
    {
        using RegistrySession session = new(Global, _registry.Read(command), command.InvocationConfiguration.Error);
        Reference reference = session.Resolve(command.GetRequiredValue(_image));
        await using RegistryRepository repository =
            RegistryRepository.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull, session.Context);
        Digest subject = reference.Digest ?? (await repository.ResolveAsync(reference, cancellationToken)).Digest;
        Referrers referrers = await repository.ListReferrersAsync(subject, command.GetValue(_artifactType), cancellationToken);

        TextWriter output = command.InvocationConfiguration.Output;
        RemoteDescriptor[] rows = [.. referrers.Manifests.Select(Of)];
        if (command.GetValue(_format) is "json")
        {
            JsonOutput.Write(output, rows, OutputJson.Default.RemoteDescriptorArray, JsonLayout.Images);
            return ExitCode.Success;
        }

        RowFormat.Parse("referrers", command.GetValue(_format) ?? "table {{.Digest}}\t{{.ArtifactType}}\t{{.Size}}").Write(
            output,
            [.. rows.Select(row => TemplateValue.Of(Show(row), OutputJson.Default.RemoteDescriptor, "Descriptor").With("Size", HumanSize.Spaced(row.Size)))],
            Headings);
        return ExitCode.Success;
    }

    private static RemoteDescriptor Of(Descriptor descriptor) => new()
    {
        Platform = descriptor.Platform?.ToString(),
        Digest = descriptor.Digest.ToString(),
        MediaType = descriptor.MediaType,
        Size = descriptor.Size,
        ArtifactType = descriptor.ArtifactType ?? "",
        Annotations = descriptor.Annotations is null ? null : new Dictionary<string, string>(descriptor.Annotations),
    };

    private static RemoteDescriptor Show(RemoteDescriptor row) => row with
    {
        Platform = row.Platform is null ? null : Printable.Shorten(row.Platform),
        MediaType = Printable.Shorten(row.MediaType),
        ArtifactType = Printable.Shorten(row.ArtifactType ?? ""),
        Annotations = row.Annotations?.ToDictionary(entry => Printable.Escape(entry.Key), entry => Printable.Escape(entry.Value)),
    };
}
