using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using OciTool.Cli.Output;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci commit CONTAINER [IMAGE]</c>: makes an image of what a container has become.</summary>
internal sealed class CommitCommand : Verb
{
    private readonly Argument<string> _container = new("CONTAINER") { Description = "The container's name or ID." };
    private readonly Argument<string?> _image = new("IMAGE") { Description = "The name of the image.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _author = new("--author", "-a") { Description = "Set the author for the image committed", HelpName = "string" };

    private readonly Option<string> _format = new("--format", "-f")
    {
        Description = "Format of the image manifest and metadata: oci or docker (default \"oci\")",
        HelpName = "Format",
        DefaultValueFactory = _ => "oci",
    };

    private readonly Option<string?> _idFile = new("--iidfile") { Description = "File to write the image ID to", HelpName = "file" };
    private readonly Option<bool> _pause = new("--pause", "-p") { Description = "Pause container during commit; only for containers that do not run" };
    private readonly Option<bool> _squash = new("--squash", "-s") { Description = "Squash all layers into a single new layer" };
    private readonly AuthoringFlags _authoring;

    public CommitCommand()
        : base("commit", "Create new image based on the changed container")
    {
        Details = "Makes an image of a container: its image's layers, and one more with all that the container changed. What it wrote to volumes is not part of it. "
            + "The image starts what the container started, with its environment; --change says otherwise.\n\n"
            + "With SOURCE_DATE_EPOCH in the environment no time is later than that, and the same changes give the same image.";
        Operands = "CONTAINER [IMAGE]";
        Examples =
        [
            "commit mycontainer localhost/app:2",
            "commit --change 'CMD [\"/bin/app\"]' --change 'ENV MODE=production' --author 'A. Person' mycontainer app",
            "commit -q --squash mycontainer",
        ];
        OperandKind = OperandKind.Container;
        Add(_container);
        Add(_image);
        Add(_author);
        Add(_format);
        Add(_idFile);
        Add(_pause);
        Add(_squash);
        _authoring = new AuthoringFlags(this);
        SetAction(CommitAsync);
    }

    private async Task<int> CommitAsync(ParseResult command, CancellationToken cancellationToken)
    {
        Reference? name = command.GetValue(_image) is { } text ? ImageNameInput.ParseLocal(text) : null;
        ImageChange[] changes = _authoring.ReadChanges(command);
        string? message = _authoring.ReadMessage(command);
        ManifestFormat format = ReadFormat(command.GetValue(_format)!);
        if (message is not null && format == ManifestFormat.Oci)
        {
            throw new UsageException("messages are only compatible with the docker image format (-f docker)");
        }

        DateTimeOffset? sourceDate = SourceDate.Read();
        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ContainerTree container = ContainerTree.Open(root, command.GetRequiredValue(_container));
        if (command.GetValue(_pause) && container.Record.State == Storage.ContainerState.Running)
        {
            throw new UsageException($"cannot pause container '{container.Record.Name}': this version commits running containers as they are");
        }

        TextWriter error = command.InvocationConfiguration.Error;
        bool squash = command.GetValue(_squash);
        using NewImage image = squash ? NewImage.Empty(root, container.Image.Config.Platform) : NewImage.From(root, images, container.Image);
        image.AddLayer(output => WriteLayer(container, output, squash, sourceDate?.ToUnixTimeSeconds(), error));
        image.Complete(Config(container, new Authorship(command.GetValue(_author), message, sourceDate ?? TimeProvider.System.GetUtcNow()),
            squash, changes, format, error));
        ConvertedSource source = new(image, new ImageConversion(format, Compression: null), recompressor: null, warning => error.Write($"Warning: {warning}\n"));
        Digest id = await _authoring.StoreAsync(command, images, source, name, cancellationToken);
        WriteId(command.GetValue(_idFile), id);
        await command.InvocationConfiguration.Output.WriteLineAsync(id.Hex);
        return ExitCode.Success;
    }

    private static ManifestFormat ReadFormat(string format) => format switch
    {
        "oci" => ManifestFormat.Oci,
        "docker" => ManifestFormat.Docker,
        _ => throw new UsageException($"unrecognized image format \"{Printable.Shorten(format)}\""),
    };

    private static void WriteLayer(ContainerTree container, Stream output, bool squash, long? latest, TextWriter error)
    {
        TreeArchive archive = new(output, warning => error.Write($"Warning: {warning}\n"), latest);
        if (squash)
        {
            using RootDirectory tree = container.MountView();
            archive.WriteTree(tree, withRoot: true);
            return;
        }

        using RootDirectory upper = new(container.Snapshotter.UpperOf(container.Record.Id));
        archive.WriteLayer(upper, container.Snapshotter.HasOtherRoot(container.Record.Id, container.Image.Config));
    }

    /// <summary>The config of the new image: the old one with what the container was started with.</summary>
    private static JsonObject Config(
        ContainerTree container, Authorship authorship, bool squash, ImageChange[] changes, ManifestFormat format, TextWriter error)
    {
        JsonObject config = Parse(container.Image);
        foreach (string key in (ReadOnlySpan<string>)["container", "container_config", "docker_version", "author", "comment"])
        {
            config.Remove(key);
        }

        if (config["config"] is not JsonObject execution)
        {
            config["config"] = execution = [];
        }

        DescribeExecution(execution, container);
        config["created"] = GoTime.Rfc3339(authorship.Time);
        if (authorship.Author is { Length: > 0 } author)
        {
            config["author"] = author;
        }

        if (authorship.Message is not null)
        {
            config["comment"] = authorship.Message;
        }

        JsonArray history = squash || config["history"] is not JsonArray known ? [] : known;
        history.Add((JsonNode)AuthoringFlags.Step(
            authorship.Time, "/bin/sh", authorship.Author is { Length: > 0 } ? authorship.Author : null, $"FROM {container.Record.ImageName}"));
        config["history"] = history.Parent is null ? history : history.DeepClone();
        AuthoringFlags.Apply(config, changes, keepsTriggers: format == ManifestFormat.Docker, error);
        return config;
    }

    private static void DescribeExecution(JsonObject execution, ContainerTree container)
    {
        ExecutionConfig? image = container.Image.Config.Config;
        IReadOnlyList<string> entrypoint = image?.Entrypoint ?? [];
        IReadOnlyList<string> command = container.Record.Command;
        bool startsWithEntrypoint = entrypoint.Count > 0 && command.Take(entrypoint.Count).SequenceEqual(entrypoint);
        SetWords(execution, "Entrypoint", startsWithEntrypoint ? entrypoint : []);
        SetWords(execution, "Cmd", startsWithEntrypoint ? [.. command.Skip(entrypoint.Count)] : command);
        if (container.Record.Labels is { Count: > 0 } labels)
        {
            JsonObject all = [];
            foreach ((string key, string value) in labels)
            {
                all[key] = value;
            }

            execution["Labels"] = all;
        }

        string file = System.IO.Path.Join(System.IO.Path.GetDirectoryName(container.Snapshotter.UpperOf(container.Record.Id)), "config.json");
        if (File.Exists(file) && RuntimeSpecReader.ReadConfig(File.ReadAllBytes(file)).Process is { } process)
        {
            // its home and its host name are the container's, not the image's
            SetWords(execution, "Env", [.. (process.Env ?? []).Where(variable =>
                !(IsNamed(variable, "HOME") || IsNamed(variable, "HOSTNAME")) || image?.Env?.Contains(variable) == true)]);
            execution["WorkingDir"] = process.Cwd;
        }
    }

    private static bool IsNamed(string variable, string name) =>
        variable.StartsWith(name, StringComparison.Ordinal) && variable.AsSpan(name.Length).StartsWith("=");

    private static JsonObject Parse(StoredImage image)
    {
        try
        {
            return JsonNode.Parse(
                    image.ConfigDocument.Bytes.Span,
                    documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 64 })
                as JsonObject ?? throw new InvalidDocumentException($"config {image.Id}: it is not an object");
        }
        catch (JsonException e)
        {
            throw new InvalidDocumentException($"config {image.Id}: {Printable.Shorten(e.Message)}", e);
        }
    }

    private static void SetWords(JsonObject execution, string key, IReadOnlyList<string> words)
    {
        if (words.Count == 0)
        {
            execution.Remove(key);
        }
        else
        {
            execution[key] = new JsonArray([.. words.Select(word => (JsonNode)word)]);
        }
    }

    private static void WriteId(string? file, Digest id)
    {
        if (file is null)
        {
            return;
        }

        try
        {
            File.WriteAllText(file, id.Hex);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"id file '{Printable.Shorten(file)}' cannot be written: {Printable.Shorten(e.Message)}", e);
        }
    }

    /// <summary>Who made the image, when, and why.</summary>
    private sealed record Authorship(string? Author, string? Message, DateTimeOffset Time);
}
