using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Check;

namespace OciTool.Cli.Commands;

/// <summary><c>oci system check</c>: compares the store with what it should be.</summary>
internal sealed class SystemCheckCommand : Verb
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "With --repair: also remove containers that cannot be repaired, and replace layers below running ones" };
    private readonly Option<string?> _max = new("--max", "-m") { Description = "Age from which content that no image needs counts as damage (default 24h)", HelpName = "duration" };
    private readonly Option<bool> _quick = new("--quick", "-q") { Description = "Skip what takes long: hashing layers and comparing them with their blobs" };
    private readonly Option<bool> _repair = new("--repair", "-r") { Description = "Repair what can be repaired without a network" };

    public SystemCheckCommand()
        : base("check", "Check the consistency of images and containers, and repair them")
    {
        Details = "Compares everything with its record: each blob with its digest, each layer with what its blob gives, the names and lists with the documents, "
            + "and the containers with their images. Each finding is a line 'kind: object: what'. Pulls and containers go on meanwhile. "
            + "Content that no image needs is a finding only when it is older than --max: younger content may be of a pull that goes on.\n\n"
            + "With --repair a layer is made again from its blob, a damaged blob is removed so that the next pull fetches it, lists are written again, and what killed "
            + "processes left is removed. A container that has lost its record, its data or its image is only removed with --force. "
            + "The status is 0 when nothing is wrong or everything was repaired, and 125 when damage is left.";
        Examples = ["system check", "system check --quick", "system check --repair"];
        Add(_force);
        Add(_max);
        Add(_quick);
        Add(_repair);
        SetAction((command, cancellation) => Task.Run(() => Check(command, cancellation), CancellationToken.None));
    }

    private int Check(ParseResult command, CancellationToken cancellation)
    {
        StoreCheckOptions options = new()
        {
            Force = command.GetValue(_force),
            Quick = command.GetValue(_quick),
            Repair = command.GetValue(_repair),
        };
        if (command.GetValue(_max) is { } max)
        {
            options = options with
            {
                MaxAge = GoDuration.TryParse(max, out TimeSpan age)
                    ? age
                    : throw new UsageException($"invalid duration \"{Printable.Shorten(max)}\" for --max: write for example 24h"),
            };
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        if (options.Repair && !root.IsReadOnly)
        {
            KilledContainers.Settle(containers);
        }

        IReadOnlyList<StoreFinding> findings = new StoreCheck(root, images, containers, options, TimeProvider.System).Run(cancellation);
        foreach (StoreFinding finding in findings)
        {
            string outcome = finding.Outcome is null ? "" : $" ({finding.Outcome})";
            command.InvocationConfiguration.Output.Write($"{finding.Kind}: {finding.Target}: {finding.What}{outcome}\n");
        }

        int left = findings.Count(finding => finding.Remains);
        return left == 0 ? ExitCode.Success : throw new OciException($"store '{root.Path}' is damaged: {left} {(left == 1 ? "finding" : "findings")}")
        {
            Hint = options.Repair ? null : "oci system check --repair",
        };
    }
}
