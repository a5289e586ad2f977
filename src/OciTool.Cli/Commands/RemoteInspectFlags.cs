using System.CommandLine;
using System.CommandLine.Parsing;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>What <c>inspect</c> takes to look into registries, and how it prints what is there.</summary>
internal sealed class RemoteInspectFlags
{
    /// <summary>The part of the verb's description that is about them.</summary>
    public const string Details =
        "\n\nWith --remote the images are looked at in their registries, and nothing is pulled. An index shows its entries, whatever they run "
        + "on, with two requests; an image, which --platform chooses from an index, shows what skopeo inspect shows, with three or four; "
        + "an artifact, such as a signature or a chart, shows its parts. --raw prints the exact bytes of the manifest or index, --config "
        + "the configuration of the image.";

    private readonly Option<bool> _remote = new("--remote") { Description = "Look at the images in their registries" };
    private readonly Option<bool> _config = new("--config") { Description = "With --remote, print the image's configuration" };
    private readonly Option<bool> _raw = new("--raw") { Description = "With --remote, print the manifest's or index's exact bytes, or the configuration's" };
    private readonly Option<bool> _tags = new("--tags") { Description = "With --remote, list the tags of the repository, too" };
    private readonly PlatformFlags _platform;
    private readonly RegistryFlags _registry;

    /// <summary>Adds the options to a verb.</summary>
    public RemoteInspectFlags(Verb verb)
    {
        verb.Add(_remote);
        verb.Add(_config);
        verb.Add(_raw);
        verb.Add(_tags);
        _platform = new PlatformFlags(verb);
        _registry = new RegistryFlags(verb);
    }

    /// <summary>Whether registries are to be looked into.</summary>
    /// <exception cref="UsageException">They are not, but an option is given that is for them alone.</exception>
    public bool IsRemote(ParseResult command)
    {
        if (command.GetValue(_remote))
        {
            return true;
        }

        foreach (Option<bool> option in new[] { _config, _raw, _tags })
        {
            if (command.GetValue(option))
            {
                throw new UsageException($"{option.Name} needs --remote");
            }
        }

        return _platform.Read(command).ByName
            ? throw new UsageException("--platform, --arch, --os and --variant need --remote: in the store, name the image by its ID")
            : false;
    }

    /// <summary>Looks and prints.</summary>
    /// <exception cref="OciException">An image is not there.</exception>
    public int Inspect(ParseResult command, GlobalOptions global, string[] names, string? format)
    {
        bool config = command.GetValue(_config);
        bool raw = command.GetValue(_raw);
        if ((config || raw) && (format is not null || names.Length > 1))
        {
            throw new UsageException("--raw and --config print one document as it is: they take one name and no --format");
        }

        (Platform platform, bool isExplicit, _) = _platform.Read(command);
        TextWriter output = command.InvocationConfiguration.Output;
        return RegistrySession.Wait(async cancellationToken =>
        {
            using RegistrySession session = new(global, _registry.Read(command), command.InvocationConfiguration.Error);
            Reference[] references = [.. names.Select(session.Resolve)];
            if (config || raw)
            {
                await using RemoteImage image = await RemoteImage.OpenAsync(references[0], session.Context, cancellationToken);
                Document document = config ? await image.ReadConfigAsync(platform, cancellationToken)
                    : isExplicit ? await image.ChooseAsync(platform, cancellationToken)
                    : image.Root;
                WriteDocument(output, document, raw);
                return ExitCode.Success;
            }

            List<RemoteInspection> found = [];
            List<OciException> failures = [];
            foreach (Reference reference in references)
            {
                try
                {
                    await using RemoteImage image = await RemoteImage.OpenAsync(reference, session.Context, cancellationToken);
                    RemoteInspection inspection = await image.InspectAsync(isExplicit ? platform : null, cancellationToken);
                    found.Add(command.GetValue(_tags)
                        ? inspection with { RepoTags = await RemoteImage.TagsAsync(reference, session.Context, cancellationToken) }
                        : inspection);
                }
                catch (OciException e)
                {
                    failures.Add(e);
                }
            }

            if (found.Count > 0)
            {
                Write(output, found, format);
            }

            return SeveralFailures.Report(failures);
        });
    }

    private static void Write(TextWriter output, List<RemoteInspection> found, string? format)
    {
        if (format is null or "json")
        {
            JsonOutput.Write(output, [.. found], OutputJson.Default.RemoteInspectionArray, JsonLayout.Inspect);
        }
        else
        {
            using StringWriter text = new();
            RowFormat.Parse("inspect", format).Write(
                text, [.. found.Select(inspection => TemplateValue.Of(inspection, OutputJson.Default.RemoteInspection, "inspect.Output"))]);
            ForeignText.Write(output, text.ToString());
        }
    }

    private static void WriteDocument(TextWriter output, Document document, bool raw)
    {
        if (raw)
        {
            ForeignText.WriteRaw(output, document.Bytes.Span);
        }
        else
        {
            RemoteDocument.WriteIndented(output, document, 4);
        }
    }
}
