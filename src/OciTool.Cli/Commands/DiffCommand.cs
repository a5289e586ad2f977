using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using OciTool.Cli.Output;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci diff</c>, <c>oci container diff</c> and <c>oci image diff</c>: which files are new, changed or gone.</summary>
internal sealed class DiffCommand : Verb
{
    // what a run makes in every container, for its mounts
    private static readonly HashSet<string> OfEveryContainer =
    [
        "/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/run", "/run/.containerenv", "/run/notify",
        "/run/podman-init", "/run/secrets", "/sys",
    ];

    private readonly string? _kind;
    private readonly Argument<string[]> _objects;
    private readonly Option<string?> _format = new("--format") { Description = "Change the output format (json)", HelpName = "string" };

    /// <summary>Creates the verb.</summary>
    /// <param name="kind"><c>container</c> or <c>image</c> for the verbs of these groups; null for the one that takes both.</param>
    [SuppressMessage("Maintainability", "CA1508", Justification = "kind may well be null")]
    public DiffCommand(string? kind = null)
        : base("diff", kind switch
        {
            "container" => "Inspect changes to the container's file systems",
            "image" => "Inspect changes to the image's file systems",
            _ => "Display the changes to the object's file system",
        })
    {
        _kind = kind;
        string what = kind?.ToUpperInvariant() ?? "{CONTAINER|IMAGE}";
        _objects = new Argument<string[]>(kind?.ToUpperInvariant() ?? "NAME")
        {
            Description = "What to look at, and what to compare it with: names or IDs.",
            Arity = new ArgumentArity(kind == "image" ? 1 : 0, 2),
        };
        Details = "Prints the paths that are new (A), changed (C) or gone (D): of a container against its image, of an image against what is below its topmost layer, or of "
            + "the first of two against the second. Files count as changed when kind, mode, owner, size or time differ; their content is not read.";
        Operands = $"{what} [{what}]";
        Examples = kind == "container" ? ["container diff mycontainer"] : ["diff fedora:35 fedora:34", "diff --format json mycontainer"];
        OperandKind = kind switch { "container" => OperandKind.Container, "image" => OperandKind.Image, _ => OperandKind.Object };
        Add(_objects);
        Add(_format);
        SetAction(Show);
    }

    private int Show(ParseResult command)
    {
        string[] names = command.GetValue(_objects) ?? [];
        if (names.Length == 0)
        {
            throw new UsageException($"\"{Path}\" requires a name or ID");
        }

        string? format = command.GetValue(_format);
        if (format is not (null or "json"))
        {
            throw new UsageException("only supported value for '--format' is 'json'");
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        OverlaySnapshotter snapshotter = new(images, containers);
        Side[] sides = [.. names.Select(name => Find(name, images, containers))]; // a mistake ends it before anything is mounted
        ContainerTree.RequireRoot("compare file systems");
        TreeChange[] changes;
        try
        {
            using ImageTree? below = sides is [_, { Container: not null }] ? null : MountEarlier(root, snapshotter, sides);
            using RootDirectory? earlier = below is null ? DetachedMount.Create(snapshotter.View(sides[1].Container!.Id, sides[1].Image.Config)) : null;
            using ImageTree? whole = sides[0].Container is null ? ImageTree.Mount(root, snapshotter, sides[0].Image.Config, int.MaxValue) : null;
            using RootDirectory? later = sides[0].Container is { } container ? DetachedMount.Create(snapshotter.View(container.Id, sides[0].Image.Config)) : null;
            changes = [.. TreeChanges.Find(below?.Tree ?? earlier!, whole?.Tree ?? later!).Where(change => !OfEveryContainer.Contains(change.Path))];
        }
        catch (ErrnoException e)
        {
            throw new OciException($"cannot compare the file systems: {e.Message}", e);
        }

        Write(command.InvocationConfiguration.Output, changes, format);
        return ExitCode.Success;
    }

    private static ImageTree MountEarlier(StorageRoot root, OverlaySnapshotter snapshotter, Side[] sides) => sides switch
    {
        [_, var other] => ImageTree.Mount(root, snapshotter, other.Image.Config, int.MaxValue),
        [{ Container: not null } only] => ImageTree.Mount(root, snapshotter, only.Image.Config, int.MaxValue),
        [var only] => ImageTree.Mount(root, snapshotter, only.Image.Config, only.Image.Config.Rootfs.DiffIds.Count - 1),
        _ => throw new InvalidOperationException("one or two"),
    };

    private Side Find(string name, ImageStore images, ContainerStore containers)
    {
        if (_kind != "image" && containers.Find(name) is { } container)
        {
            return new Side(container, ContainerTree.ImageOf(images, container));
        }

        if (_kind != "container" && images.Find(name, platform: null) is { } image)
        {
            return new Side(Container: null, image);
        }

        string shown = Printable.Shorten(name);
        throw new OciException(_kind switch
        {
            "container" => $"{shown} not found: container not known",
            "image" => $"{shown} not found: {shown}: image not known",
            _ => $"{shown} not found: layer not known",
        });
    }

    private static void Write(TextWriter output, TreeChange[] changes, string? format)
    {
        if (format is not null)
        {
            JsonOutput.Write(
                output,
                new TreeDifferences
                {
                    Changed = Paths(changes, ChangeKind.Changed),
                    Added = Paths(changes, ChangeKind.Added),
                    Deleted = Paths(changes, ChangeKind.Deleted),
                },
                OutputJson.Default.TreeDifferences,
                JsonLayout.Inspect);
            return;
        }

        foreach (TreeChange change in changes)
        {
            char kind = change.Kind switch { ChangeKind.Added => 'A', ChangeKind.Deleted => 'D', _ => 'C' };
            output.Write($"{kind} {Printable.Escape(change.Path)}\n");
        }
    }

    private static string[]? Paths(TreeChange[] changes, ChangeKind kind) =>
        changes.Any(change => change.Kind == kind) ? [.. changes.Where(change => change.Kind == kind).Select(change => change.Path)] : null;

    /// <summary>One of the two trees that are compared.</summary>
    private sealed record Side(ContainerRecord? Container, StoredImage Image);
}
