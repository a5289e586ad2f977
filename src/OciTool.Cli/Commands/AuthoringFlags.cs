using System.CommandLine;
using System.Text.Json.Nodes;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>The options of verbs that make an image, and how it gets into the store.</summary>
internal sealed class AuthoringFlags
{
    private readonly Option<string[]> _change = new("--change", "-c")
    {
        Description = "Apply the following possible instructions to the created image: CMD | ENTRYPOINT | ENV | EXPOSE | LABEL | ONBUILD | STOPSIGNAL | USER | VOLUME | WORKDIR",
        HelpName = "stringArray",
    };

    private readonly Option<string?> _message;
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Suppress output" };

    /// <summary>Adds the options to a verb.</summary>
    public AuthoringFlags(Command verb)
    {
        _message = new Option<string?>("--message", "-m") { Description = "Set commit message for imported image", HelpName = "string" };
        verb.Add(_change);
        verb.Add(_message);
        verb.Add(_quiet);
    }

    /// <summary><c>--message</c>, or null.</summary>
    public string? ReadMessage(ParseResult command) => command.GetValue(_message) is { Length: > 0 } message ? message : null;

    /// <summary>The changes.</summary>
    /// <exception cref="UsageException">One is wrong.</exception>
    public ImageChange[] ReadChanges(ParseResult command) => [.. (command.GetValue(_change) ?? []).Select(ImageChange.Parse)];

    /// <summary>Applies changes to an image's config.</summary>
    /// <param name="config">The config.</param>
    /// <param name="changes">The changes, in their order.</param>
    /// <param name="keepsTriggers">Whether the format has <c>ONBUILD</c>.</param>
    /// <param name="error">Where warnings go.</param>
    public static void Apply(JsonObject config, ImageChange[] changes, bool keepsTriggers, TextWriter error)
    {
        if (config["config"] is not JsonObject execution)
        {
            config["config"] = execution = [];
        }

        foreach (ImageChange change in changes)
        {
            if (change.Instruction == "ONBUILD" && !keepsTriggers)
            {
                error.Write($"Warning: ONBUILD is not supported for OCI image format, {Printable.Shorten(change.Value)} will be ignored. Must use `docker` format\n");
                continue;
            }

            change.Apply(execution);
        }
    }

    /// <summary>A step of an image's history.</summary>
    public static JsonObject Step(DateTimeOffset created, string createdBy, string? author, string? comment)
    {
        JsonObject step = new() { ["created"] = GoTime.Rfc3339(created), ["created_by"] = createdBy };
        if (author is not null)
        {
            step["author"] = author;
        }

        if (comment is not null)
        {
            step["comment"] = comment;
        }

        return step;
    }

    /// <summary>Copies a new image to the store.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="images">The images of the store.</param>
    /// <param name="image">The image.</param>
    /// <param name="name">Its name; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The image's ID.</returns>
    /// <exception cref="OciException">It cannot be stored.</exception>
    public async Task<Digest> StoreAsync(
        ParseResult command, ImageStore images, IImageSource image, Reference? name, CancellationToken cancellationToken)
    {
        using CopyProgress progress = CopyProgress.Create(
            command.GetValue(_quiet) ? "none" : "auto", command.InvocationConfiguration.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        using StoreDestination destination = images.OpenDestination(name);
        CopiedImage copied = await ImageCopier.CopyAsync(image, destination, Platform.Host, progress, cancellationToken);
        return copied.Manifest.Config.Digest;
    }
}
