using System.CommandLine;
using System.Globalization;
using System.Text;
using OciTool.Cli.Compatibility;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Layers;

namespace OciTool.Cli.Commands;

/// <summary><c>oci info</c>: shows the machine, the store and this tool.</summary>
internal sealed class InfoCommand : Verb
{
    private readonly Option<string?> _format = new("--format", "-f") { Description = "Change the output format to JSON or a Go template", HelpName = "string" };

    private readonly Option<bool> _hostFacts = new("--host-facts") { Description = "Print what oci compat --host decides by, as JSON" };

    public InfoCommand()
        : base("info", "Display system information")
    {
        Details = "Prints what containers run on: the machine, what protects it, and the store.";
        Examples = ["info", "info --format json", "info --format '{{.Store.GraphRoot}}'"];
        TemplateFields = ["Host", "Host.Arch", "Host.CgroupsVersion", "Host.Kernel", "Host.OCIRuntime", "Store", "Store.GraphRoot", "Store.RunRoot", "Version", "Version.Version"];
        Add(_format);
        Add(_hostFacts);
        SetAction(Show);
    }

    private int Show(ParseResult command)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        if (command.GetValue(_hostFacts))
        {
            output.Write(Encoding.UTF8.GetString((HostSurvey.Take(Global.OpenStore(), architectures: null) with
            {
                Now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            }).ToJson()) + "\n");
            return ExitCode.Success;
        }

        SystemInformation information = new()
        {
            Host = HostFacts.Read(),
            Store = ReadStore(Global.OpenStore()),
            Version = VersionInformation.OfThisBuild(),
        };
        switch (command.GetValue(_format))
        {
            case null:
                Yaml.Write(output, information, OutputJson.Default.SystemInformation);
                break;
            case "json":
                JsonOutput.Write(output, information, OutputJson.Default.SystemInformation, JsonLayout.Containers);
                break;
            case { } format:
                RowFormat.WriteOne("info", format, output, TemplateValue.Of(information, OutputJson.Default.SystemInformation, "define.Info"));
                break;
        }

        return ExitCode.Success;
    }

    private static StoreInformation ReadStore(StorageRoot root)
    {
        ImageStore images = new(root);
        IReadOnlyList<ContainerRecord> containers = new ContainerStore(root, images).List();
        int running = containers.Count(container => container.State == Storage.ContainerState.Running);
        SnapshotSupport snapshots = SupportOf(root);
        DriveInfo? drive = Directory.Exists(root.Path) ? new DriveInfo(root.Path) : null;
        return new StoreInformation
        {
            ContainerStore = new ContainerCounts { Number = containers.Count, Running = running, Stopped = containers.Count - running },
            GraphRoot = root.Path,
            GraphRootAllocated = drive?.TotalSize ?? 0,
            GraphRootUsed = drive is null ? 0 : drive.TotalSize - drive.TotalFreeSpace,
            GraphStatus = new()
            {
                ["Backing Filesystem"] = drive?.DriveFormat ?? "",
                ["Snapshot Form"] = SnapshotForms.NameOf(snapshots.Form),
                ["Snapshot Form Reason"] = snapshots.Reason,
            },
            ImageStore = new ImageCounts { Number = images.List().Count },
            RunRoot = root.RunPath,
        };
    }

    /// <summary>In which form the next layer will be kept; where nothing can be written, that is the reason.</summary>
    private static SnapshotSupport SupportOf(StorageRoot root)
    {
        try
        {
            return SnapshotSupport.Find(root);
        }
        catch (OciException e)
        {
            return new SnapshotSupport(root.AskedForm ?? SnapshotForm.Directory, e.Message);
        }
    }
}
