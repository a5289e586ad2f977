using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci images [IMAGE]</c>: lists the images of the store, a row for each name.</summary>
internal sealed class ImagesCommand : Verb
{
    private static readonly Dictionary<string, string> Headings = new()
    {
        ["ID"] = "IMAGE ID",
        ["Id"] = "IMAGE ID",
        ["CreatedSince"] = "CREATED",
        ["CreatedAt"] = "CREATED AT",
        ["RepoTags"] = "REPOTAGS",
        ["ReadOnly"] = "R/O",
    };

    private readonly Argument<string?> _image = new("IMAGE") { Description = "Only images of this name.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Show all images (default hides intermediate images, of which there are none)" };
    private readonly Option<bool> _digests = new("--digests") { Description = "Show digests" };
    private readonly Option<string[]> _filter = new("--filter", "-f") { Description = "Filter output based on conditions provided (dangling=, id=, label=, reference=)", HelpName = "strings" };
    private readonly Option<string?> _format = new("--format") { Description = "Change the output format to JSON or a Go template", HelpName = "string" };
    private readonly Option<bool> _noHeading = new("--noheading", "-n") { Description = "Do not print column headings" };
    private readonly Option<bool> _noTruncation = new("--no-trunc") { Description = "Do not truncate output" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Display only image IDs" };
    private readonly Option<string> _sort = new("--sort") { Description = "Sort by (created, id, repository, size, tag) (default \"created\")", HelpName = "string", DefaultValueFactory = _ => "created" };

    public ImagesCommand(string name = "images")
        : base(name, "List images in local storage")
    {
        Details = "Lists the images of the store, a row for each name. An image without a name shows as <none>.";
        Operands = "[IMAGE]";
        Examples = ["images", "images --digests fedora", "images --format '{{.Repository}}:{{.Tag}} {{.Size}}'", "images -q --no-trunc"];
        OperandKind = OperandKind.Image;
        TemplateFields =
        [
            "ID", "Repository", "Tag", "Digest", "Created", "CreatedAt", "CreatedSince", "CreatedTime", "Size", "VirtualSize", "Names",
            "RepoDigests", "Labels", "History", "Containers", "Dangling", "ReadOnly",
        ];
        Add(_image);
        Add(_all);
        Add(_digests);
        Add(_filter);
        Add(_format);
        Add(_noHeading);
        Add(_noTruncation);
        Add(_quiet);
        Add(_sort);
        SetAction(List);
    }

    private int List(ParseResult command)
    {
        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        TextWriter output = command.InvocationConfiguration.Output;
        List<Row> rows = Sort(Select(images, command), command.GetValue(_sort)!);
        bool truncate = !command.GetValue(_noTruncation);
        if (command.GetValue(_quiet))
        {
            foreach (string id in rows.Select(row => row.Id(truncate)).Distinct())
            {
                output.Write($"{id}\n");
            }

            return ExitCode.Success;
        }

        switch (command.GetValue(_format))
        {
            case "json":
                Dictionary<Digest, int> uses = CountUses(root, images);
                JsonOutput.Write(
                    output, [.. rows.Select(row => row.Summarize(uses))], OutputJson.Default.ImageSummaryArray, JsonLayout.Images);
                break;
            case { } format:
                WriteRows(output, root, images, rows, format, truncate, command.GetValue(_noHeading));
                break;
            default:
                WriteTable(output, rows, truncate, command.GetValue(_digests), command.GetValue(_noHeading));
                break;
        }

        return ExitCode.Success;
    }

    private static void WriteTable(TextWriter output, List<Row> rows, bool truncate, bool digests, bool noHeading)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Table table = new();
        bool readOnly = rows.Exists(row => row.Image.IsReadOnly); // a column only where it tells something
        string[] Last(string size, string isReadOnly) => readOnly ? [size, isReadOnly] : [size];
        if (!noHeading)
        {
            table.Add([.. digests ? ["REPOSITORY", "TAG", "DIGEST"] : (string[])["REPOSITORY", "TAG"], "IMAGE ID", "CREATED", .. Last("SIZE", "R/O")]);
        }

        foreach (Row row in rows)
        {
            string since = row.Since(now);
            string[] last = Last(HumanSize.Spaced(row.Image.Size), row.Image.IsReadOnly ? "true" : "false");
            table.Add(digests
                ? [row.Repository, row.Tag, row.Digest.ToString(), row.Id(truncate), since, .. last]
                : [row.Repository, row.Tag, row.Id(truncate), since, .. last]);
        }

        table.Write(output);
    }

    private static void WriteRows(
        TextWriter output, StorageRoot root, ImageStore images, List<Row> rows, string format, bool truncate, bool noHeading)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Dictionary<Digest, int> uses = CountUses(root, images);
        TemplateValue[] elements = [.. rows.Select(row => TemplateValue
            .Of(row.Summarize(uses), OutputJson.Default.ImageSummary, "images.imageReporter")
            .With("ID", row.Id(truncate)).With("Id", row.Id(truncate))
            .With("Repository", row.Repository).With("Tag", row.Tag)
            .With("Created", row.Since(now)).With("CreatedSince", row.Since(now))
            .With("CreatedAt", GoTime.Print(row.CreatedOrZero)).With("CreatedTime", GoTime.Print(row.CreatedOrZero))
            .With("Size", HumanSize.Spaced(row.Image.Size)).With("VirtualSize", HumanSize.Spaced(row.Image.Size))
            .With("History", string.Join(", ", row.Image.Names))
            .With("IsDangling", TemplateValue.Of(row.Name is null)).With("IsReadOnly", TemplateValue.Of(row.Image.IsReadOnly)).With("ReadOnly", TemplateValue.Of(row.Image.IsReadOnly)))];
        RowFormat.Parse("images", format).Write(output, elements, Headings, noHeading);
    }

    private List<Row> Select(ImageStore images, ParseResult command)
    {
        IEnumerable<Storage.ImageSummary> selected = images.List();
        List<Row> rows = [.. selected.SelectMany(Row.Of)];
        if (command.GetValue(_image) is { } wanted)
        {
            rows.RemoveAll(row => !row.Answers(wanted));
        }

        foreach (string filter in command.GetValue(_filter) ?? [])
        {
            Predicate<Row> keeps = ImageFilter.Parse(filter);
            rows.RemoveAll(row => !keeps(row));
        }

        return rows;
    }

    private static List<Row> Sort(List<Row> rows, string field) => field switch
    {
        "created" => [.. rows.OrderByDescending(row => row.CreatedOrZero)],
        "id" => [.. rows.OrderBy(row => row.Image.Id.Hex, StringComparer.Ordinal)],
        "repository" => [.. rows.OrderBy(row => row.Repository, StringComparer.Ordinal)],
        "size" => [.. rows.OrderBy(row => row.Image.Size)],
        "tag" => [.. rows.OrderBy(row => row.Tag, StringComparer.Ordinal)],
        _ => throw new UsageException(
            $"\"{Printable.Shorten(field)}\" is not a valid field for sorting. Choose from: created, id, repository, size, tag"),
    };

    private static Dictionary<Digest, int> CountUses(StorageRoot root, ImageStore images) =>
        new ContainerStore(root, images).List().CountBy(container => container.ImageId).ToDictionary();

    /// <summary>A row of the list: an image under one of its names.</summary>
    internal sealed record Row(Storage.ImageSummary Image, string? Name)
    {
        private const string None = "<none>";

        /// <summary>The rows of an image: one for each name, or one without.</summary>
        public static IEnumerable<Row> Of(Storage.ImageSummary image) =>
            image.Names.Count == 0 ? [new Row(image, Name: null)] : image.Names.Select(name => new Row(image, name));

        public string Repository => Name is null ? None : Name[..End];

        public string Tag => Name is null || Name.Contains('@', StringComparison.Ordinal) ? None : Name[(End + 1)..];

        public Digest Digest => Image.Roots[0].Digest;

        public DateTimeOffset CreatedOrZero => Image.Created ?? GoTime.Zero;

        private int End => Name!.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? at : Name.LastIndexOf(':');

        public string Id(bool truncate) => truncate ? Image.Id.Short : Image.Id.ToString();

        public string Since(DateTimeOffset now) => HumanDuration.Since(CreatedOrZero, now);

        /// <summary>Whether a name on the command line means it: a whole name, or the last parts of its repository, with or without the tag.</summary>
        public bool Answers(string wanted)
        {
            if (Image.Id.Hex.StartsWith(wanted, StringComparison.Ordinal) && wanted.Length >= 3)
            {
                return true;
            }

            return Name is not null && (EndsIn(Name, wanted) || EndsIn(Repository, wanted));
        }

        public Views.ImageSummary Summarize(Dictionary<Digest, int> uses) => new()
        {
            Id = Image.Id.Hex,
            RepoDigests = [.. Image.RepoDigests],
            Size = Image.Size,
            VirtualSize = Image.Size,
            Labels = Image.Labels is null ? null : new Dictionary<string, string>(Image.Labels),
            Containers = uses.GetValueOrDefault(Image.Id),
            ReadOnly = Image.IsReadOnly,
            Dangling = Name is null,
            Names = Image.Names.Count == 0 ? null : [.. Image.Names],
            Digest = Digest.ToString(),
            History = Image.Names.Count == 0 ? null : [.. Image.Names],
            Created = Image.Created?.ToUnixTimeSeconds() ?? 0,
            CreatedAt = CreatedOrZero,
        };

        private static bool EndsIn(string name, string wanted) =>
            name.EndsWith(wanted, StringComparison.Ordinal)
            && (name.Length == wanted.Length || name[name.Length - wanted.Length - 1] == '/');
    }
}
