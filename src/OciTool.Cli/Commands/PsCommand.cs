using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci ps</c>: lists containers.</summary>
internal sealed class PsCommand : Verb
{
    private static readonly Dictionary<string, string> Headings = new()
    {
        ["ID"] = "CONTAINER ID",
        ["Id"] = "CONTAINER ID",
        ["CreatedAt"] = "CREATED",
        ["RunningFor"] = "CREATED",
    };

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Show all the containers, default is only running containers" };
    private readonly Option<string[]> _filter = new("--filter", "-f") { Description = "Filter output based on conditions given (id=, name=, status=, ancestor=, label=)", HelpName = "strings" };
    private readonly Option<string?> _format = new("--format") { Description = "Pretty-print containers to JSON or using a Go template", HelpName = "string" };
    private readonly Option<bool> _noHeading = new("--noheading") { Description = "Do not print headers" };
    private readonly Option<bool> _noTruncation = new("--no-trunc") { Description = "Display the extended information" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Print the numeric IDs of the containers only" };

    public PsCommand(string name = "ps")
        : base(name, "List containers")
    {
        Details = "Lists the containers that run; with --all also those that have ended and are kept.";
        Examples = ["ps -a", "ps -aq --no-trunc", "ps -a --format '{{.Names}} {{.Status}}'"];
        TemplateFields = ["ID", "Image", "Command", "CreatedAt", "RunningFor", "Status", "State", "Ports", "Names", "Labels", "ExitCode", "Pid", "Created"];
        Add(_all);
        Add(_filter);
        Add(_format);
        Add(_noHeading);
        Add(_noTruncation);
        Add(_quiet);
        SetAction(List);
    }

    private int List(ParseResult command)
    {
        StorageRoot root = Global.OpenStore();
        List<ContainerRecord> containers = [.. new ContainerStore(root, new ImageStore(root)).List()];
        string[] filters = command.GetValue(_filter) ?? [];
        if (!command.GetValue(_all) && !filters.Any(filter => filter.StartsWith("status=", StringComparison.Ordinal)))
        {
            containers.RemoveAll(container => container.State != Storage.ContainerState.Running);
        }

        foreach (string filter in filters)
        {
            Predicate<ContainerRecord> keeps = ParseFilter(filter);
            containers.RemoveAll(container => !keeps(container));
        }

        TextWriter output = command.InvocationConfiguration.Output;
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        bool truncate = !command.GetValue(_noTruncation);
        string Id(ContainerRecord container) => truncate ? container.Id[..12] : container.Id;
        if (command.GetValue(_quiet))
        {
            foreach (ContainerRecord container in containers)
            {
                output.Write($"{Id(container)}\n");
            }

            return ExitCode.Success;
        }

        switch (command.GetValue(_format))
        {
            case "json":
                JsonOutput.Write(
                    output, [.. containers.Select(container => Summarize(container, now))], OutputJson.Default.ContainerSummaryArray, JsonLayout.Containers);
                break;
            case { } format:
                TemplateValue[] rows = [.. containers.Select(container => TemplateValue
                    .Of(Summarize(container, now), OutputJson.Default.ContainerSummary, "containers.psReporter")
                    .With("ID", Id(container)).With("Id", Id(container))
                    .With("Command", CommandOf(container, truncate)).With("Names", container.Name).With("Ports", "").With("Mounts", "").With("Networks", "")
                    .With("CreatedAt", GoTime.Print(container.Created)).With("RunningFor", HumanDuration.Since(container.Created, now))
                    .With("CreatedHuman", HumanDuration.Since(container.Created, now)))];
                RowFormat.Parse("ps", format).Write(output, rows, Headings, command.GetValue(_noHeading));
                break;
            default:
                Table table = new();
                if (!command.GetValue(_noHeading))
                {
                    table.Add("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES");
                }

                foreach (ContainerRecord container in containers)
                {
                    table.Add(
                        Id(container), Printable.Escape(container.ImageName), CommandOf(container, truncate),
                        HumanDuration.Since(container.Created, now), StatusOf(container, now), "", container.Name);
                }

                table.Write(output);
                break;
        }

        return ExitCode.Success;
    }

    private static ContainerSummary Summarize(ContainerRecord container, DateTimeOffset now) => new()
    {
        AutoRemove = container.AutoRemove,
        Command = [.. container.Command],
        CreatedAt = HumanDuration.Since(container.Created, now),
        CIDFile = container.CidFile,
        Exited = container.State == Storage.ContainerState.Exited,
        ExitedAt = (container.FinishedAt ?? GoTime.Zero).ToUnixTimeSeconds(),
        ExitCode = container.ExitCode,
        Id = container.Id,
        Image = container.ImageName,
        ImageID = container.ImageId.Hex,
        Labels = container.Labels is null ? null : new Dictionary<string, string>(container.Labels),
        Names = [container.Name],
        Pid = container.Pid,
        StartedAt = (container.StartedAt ?? GoTime.Zero).ToUnixTimeSeconds(),
        State = Inspections.StateOf(container),
        Status = StatusOf(container, now),
        Created = container.Created.ToUnixTimeSeconds(),
    };

    private static string StatusOf(ContainerRecord container, DateTimeOffset now) => container.State switch
    {
        Storage.ContainerState.Created => "Created",
        Storage.ContainerState.Running => $"Up {HumanDuration.Format(now - (container.StartedAt ?? container.Created))}",
        _ => $"Exited ({container.ExitCode}) {HumanDuration.Since(container.FinishedAt ?? container.Created, now)}",
    };

    /// <summary>What a container runs, as lists show it.</summary>
    internal static string CommandOf(ContainerRecord container, bool truncate)
    {
        string command = Printable.Escape(string.Join(' ', container.Command));
        return truncate && command.Length > 20 ? $"{command[..17]}..." : command;
    }

    private static Predicate<ContainerRecord> ParseFilter(string filter)
    {
        int at = filter.IndexOf('=', StringComparison.Ordinal);
        string name = at < 0 ? filter : filter[..at];
        string value = at < 0 ? "" : filter[(at + 1)..];
        return name switch
        {
            "id" => container => container.Id.StartsWith(value, StringComparison.Ordinal),
            "name" => container => container.Name.Contains(value, StringComparison.Ordinal),
            "status" => container => Inspections.StateOf(container) == (value == "stopped" ? "exited" : value),
            "ancestor" => container => container.ImageName.Contains(value, StringComparison.Ordinal)
                || container.ImageId.Hex.StartsWith(value, StringComparison.Ordinal),
            "label" => container => container.Labels is { } labels && labels.Any(label =>
                value == label.Key || value == $"{label.Key}={label.Value}"),
            _ => throw new UsageException($"{Printable.Shorten(name)} is an invalid filter"),
        };
    }
}
