using System.CommandLine;
using System.Globalization;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci system df</c>: shows what the store takes on disk.</summary>
internal sealed class SystemDfCommand : Verb
{
    private readonly Option<string?> _format = new("--format") { Description = "Pretty-print disk usage to JSON or using a Go template", HelpName = "string" };
    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Show each image and each container" };

    public SystemDfCommand()
        : base("df", "Show disk usage")
    {
        Details = "Shows what images and containers take on disk, and how much of it prune would remove. An image counts with its blobs as they were pulled and its "
            + "layers as they are used, what several images share counts once. Leftovers are partial downloads and content that no image needs: system prune removes them.";
        Examples = ["system df", "system df -v", "system df --format '{{.Type}}: {{.Size}}'"];
        TemplateFields = ["Type", "Total", "Active", "Size", "Reclaimable", "RawSize", "RawReclaimable", "TotalCount"];
        Add(_format);
        Add(_verbose);
        SetAction(Show);
    }

    private int Show(ParseResult command)
    {
        string? format = command.GetValue(_format);
        bool verbose = command.GetValue(_verbose);
        if (verbose && format is not null)
        {
            throw new UsageException("cannot combine --format and --verbose flags");
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        StoreUsage usage = StoreUsage.Measure(root, images, new ContainerStore(root, images));
        TextWriter output = command.InvocationConfiguration.Output;
        DiskUsage[] rows = [.. Summarize(usage)];
        switch (format)
        {
            case null when verbose:
                WriteEach(output, usage);
                break;
            case null:
                Table table = new();
                table.Add("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE");
                foreach (DiskUsage row in rows)
                {
                    table.Add(row.Type, Number(row.Total), Number(row.Active), row.Size, row.Reclaimable);
                }

                table.Write(output);
                break;
            case "json":
                JsonOutput.Write(output, rows, OutputJson.Default.DiskUsageArray, JsonLayout.Images);
                break;
            default:
                RowFormat.Parse("df", format).Write(
                    output, [.. rows.Select(row => TemplateValue.Of(row, OutputJson.Default.DiskUsage, "system.dfSummary"))]);
                break;
        }

        return ExitCode.Success;
    }

    private static IEnumerable<DiskUsage> Summarize(StoreUsage usage)
    {
        yield return Row("Images", usage.Images.Count, usage.Images.Count(image => image.Containers > 0), usage.ImageBytes, usage.UnusedImageBytes);
        ContainerUsage[] ended = [.. usage.Containers.Where(container => container.Container.State != Storage.ContainerState.Running)];
        yield return Row(
            "Containers", usage.Containers.Count, usage.Containers.Count - ended.Length,
            usage.Containers.Sum(container => container.Size), ended.Sum(container => container.Size));
        yield return Row("Local Volumes", 0, 0, 0, 0);
        yield return Row(
            "Leftovers", usage.Leftovers, usage.LeftoversInUse, usage.LeftoverBytes, usage.LeftoverBytes - usage.LeftoverBytesInUse);
    }

    private static DiskUsage Row(string type, int total, int active, long size, long reclaimable)
    {
        double percent = size == 0 ? 0 : 100.0 * reclaimable / size;
        return new DiskUsage
        {
            Type = type,
            Total = total,
            Active = active,
            RawSize = size,
            RawReclaimable = reclaimable,
            TotalCount = total,
            Size = HumanSize.Compact(size),
            Reclaimable = string.Create(CultureInfo.InvariantCulture, $"{HumanSize.Compact(reclaimable)} ({percent:0}%)"),
        };
    }

    private static void WriteEach(TextWriter output, StoreUsage usage)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Table images = new();
        images.Add("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS");
        foreach (ImageUsage image in usage.Images)
        {
            foreach (ImagesCommand.Row row in ImagesCommand.Row.Of(image.Image))
            {
                images.Add(
                    row.Repository, row.Tag, row.Id(truncate: true), HumanDuration.Format(now - row.CreatedOrZero),
                    HumanSize.Compact(image.Shared + image.Unique), HumanSize.Compact(image.Shared), HumanSize.Compact(image.Unique), Number(image.Containers));
            }
        }

        Table containers = new();
        containers.Add("CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES");
        foreach (ContainerUsage container in usage.Containers)
        {
            ContainerRecord record = container.Container;
            containers.Add(
                record.Id[..12], Printable.Escape(record.ImageName), PsCommand.CommandOf(record, truncate: true), "0", HumanSize.Compact(container.Size),
                HumanDuration.Format(now - record.Created), Inspections.StateOf(record), record.Name);
        }

        Table volumes = new();
        volumes.Add("VOLUME NAME", "LINKS", "SIZE");
        output.Write("Images space usage:\n\n");
        images.Write(output);
        output.Write("\nContainers space usage:\n\n");
        containers.Write(output);
        output.Write("\nLocal Volumes space usage:\n\n");
        volumes.Write(output);
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
