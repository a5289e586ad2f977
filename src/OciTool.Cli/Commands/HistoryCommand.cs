using System.CommandLine;
using System.Globalization;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci history IMAGE</c>: shows how an image was made, the last step first.</summary>
internal sealed class HistoryCommand : Verb
{
    private const int LongestCommand = 45;
    private const string Missing = "<missing>";

    private static readonly Dictionary<string, string> Headings = new()
    {
        ["CreatedSince"] = "CREATED",
        ["CreatedAt"] = "CREATED AT",
        ["CreatedBy"] = "CREATED BY",
    };

    private readonly Argument<string> _image = new("IMAGE") { Description = "The image's name or ID." };
    private readonly Option<string?> _format = new("--format") { Description = "Change the output to JSON or a Go template", HelpName = "string" };

    private readonly Option<bool> _human = new("--human", "-H")
    {
        Description = "Display sizes and dates in human readable format (default true)",
        DefaultValueFactory = _ => true,
    };

    private readonly Option<bool> _noTruncation = new("--no-trunc") { Description = "Do not truncate the output" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Display the numeric IDs only" };

    public HistoryCommand()
        : base("history", "Show history of a specified image")
    {
        Details = "Shows how an image was made, the last step first, as its config tells it. A step whose state no image of the store stands for has the ID <missing>.";
        Operands = "IMAGE";
        Examples = ["history quay.io/fedora/fedora", "history --no-trunc --format '{{.CreatedBy}}' alpine"];
        OperandKind = OperandKind.Image;
        TemplateFields = ["ID", "Created", "CreatedAt", "CreatedBy", "CreatedSince", "Size", "Tags", "Comment"];
        Add(_image);
        Add(_format);
        Add(_human);
        Add(_noTruncation);
        Add(_quiet);
        SetAction(Show);
    }

    private int Show(ParseResult command)
    {
        string name = command.GetRequiredValue(_image);
        ImageStore images = new(Global.OpenStore());
        StoredImage image = images.Find(name, platform: null) ?? throw new ImageNotHereException(name);
        IReadOnlyList<HistoryStep> steps = new ImageLineage(images).HistoryOf(image);
        TextWriter output = command.InvocationConfiguration.Output;
        Style style = new(!command.GetValue(_noTruncation), command.GetValue(_human), TimeProvider.System.GetUtcNow());
        string? format = command.GetValue(_format);
        if (format == "json")
        {
            JsonOutput.Write(output, [.. steps.Select(Row)], OutputJson.Default.HistoryRowArray, JsonLayout.Line);
        }
        else if (command.GetValue(_quiet))
        {
            foreach (HistoryStep step in steps)
            {
                output.Write($"{style.Id(step)}\n");
            }
        }
        else if (format is not null)
        {
            RowFormat.Parse("history", format).Write(output, [.. steps.Select(style.Template)], Headings);
        }
        else
        {
            Table table = new();
            table.Add("ID", "CREATED", "CREATED BY", "SIZE", "COMMENT");
            foreach (HistoryStep step in steps)
            {
                table.Add(
                    style.Id(step), style.Created(step), style.CreatedBy(step), HumanSize.Spaced(step.Size), Printable.Escape(step.Entry.Comment ?? ""));
            }

            table.Write(output);
        }

        return ExitCode.Success;
    }

    private static HistoryRow Row(HistoryStep step) => new()
    {
        Id = step.Image?.Id.Hex ?? Missing,
        Time = TimeOf(step) == GoTime.Zero ? GoTime.Rfc3339(GoTime.Zero) : step.Entry.Created!,
        CreatedBy = step.Entry.CreatedBy ?? "",
        Tags = step.Image is { Names.Count: > 0 } image ? [.. image.Names] : null,
        Size = step.Size,
        Comment = string.IsNullOrEmpty(step.Entry.Comment) ? null : step.Entry.Comment,
        Created = Seconds(TimeOf(step)),
    };

    private static DateTimeOffset TimeOf(HistoryStep step) =>
        DateTimeOffset.TryParse(step.Entry.Created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : GoTime.Zero;

    private static string Seconds(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + "Z";

    /// <summary>How the cells of a row are written.</summary>
    private sealed record Style(bool Truncate, bool Human, DateTimeOffset Now)
    {
        public string Id(HistoryStep step) =>
            step.Image is not { } image ? Missing : Truncate ? image.Id.Short : image.Id.Hex;

        public string Created(HistoryStep step) => Human ? HumanDuration.Since(TimeOf(step), Now) : Seconds(TimeOf(step));

        public string CreatedBy(HistoryStep step)
        {
            string text = Printable.Escape(step.Entry.CreatedBy ?? "");
            return Truncate && text.Length > LongestCommand ? $"{text[..(LongestCommand - 3)]}..." : text;
        }

        public RecordValue Template(HistoryStep step) => TemplateValue
            .Of(Row(step), OutputJson.Default.HistoryRow, "images.historyReporter")
            .With("ID", Id(step)).With("Created", Created(step)).With("CreatedSince", HumanDuration.Since(TimeOf(step), Now))
            .With("CreatedAt", GoTime.Print(TimeOf(step).AddTicks(-(TimeOf(step).Ticks % TimeSpan.TicksPerSecond))))
            .With("CreatedBy", CreatedBy(step)).With("Size", HumanSize.Spaced(step.Size))
            .With("Comment", Printable.Escape(step.Entry.Comment ?? ""))
            .With("Tags", new ListValue([.. (step.Image?.Names ?? []).Select(TemplateValue.Of)]));
    }
}
