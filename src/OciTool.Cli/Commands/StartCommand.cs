using System.CommandLine;
using System.Text.Json;
using OciTool.Cli.Compatibility;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci start --attach CONTAINER</c>: runs a container that was made before, and waits for it.</summary>
internal sealed class StartCommand : Verb
{
    private readonly Argument<string[]> _containers = new("CONTAINER") { Description = "The container's name or ID.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _attach = new("--attach", "-a") { Description = "Attach container's STDOUT and STDERR" };
    private readonly Option<bool> _interactive = new("--interactive", "-i") { Description = "Keep STDIN open, and attach; for containers that were created with --interactive" };

    private readonly Option<bool> _signalProxy = new("--sig-proxy")
    {
        Description = "Proxy received signals to the process (default true)",
        DefaultValueFactory = _ => true,
    };

    public StartCommand()
        : base("start", "Start one or more containers")
    {
        Details = "Starts a container that create has made, or once more one that has ended: what it wrote is there still. The verb waits for the command to end.\n\n"
            + "The exit status is that of the command, as with run. This version starts no container in the background: --attach or --interactive is needed.";
        Operands = "CONTAINER";
        Examples = ["start --attach mycontainer", "start -a -i 860a4b231279"];
        OperandKind = OperandKind.Container;
        OwnsSignals = true; // they go to the container
        Add(_containers);
        Add(_attach);
        Add(_interactive);
        Add(_signalProxy);
        SetAction(Start);
    }

    private int Start(ParseResult command)
    {
        string[] names = command.GetValue(_containers) ?? [];
        bool interactive = command.GetValue(_interactive);
        bool attach = command.GetValue(_attach) || interactive;
        if (names.Length == 0)
        {
            throw new UsageException("start requires at least one argument");
        }

        if (attach && names.Length > 1)
        {
            throw new UsageException("you cannot start and attach multiple containers at once");
        }

        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        ContainerRecord container = containers.Find(names[0]) ?? throw new ContainerNotFoundException(names[0]);
        if (!attach)
        {
            throw new OciException($"cannot start container '{container.Name}' in the background: this version runs containers in the foreground only")
            {
                Hint = $"start it with: oci start --attach {container.Name}",
            };
        }

        FileLock held = containers.TryHold(container.Id)
            ?? throw new OciException($"cannot attach to container '{container.Name}': it is running, and its output goes to who started it");
        bool isHeld = true;
        try
        {
            // what was read before may be old; with the lock it stays as it is
            container = containers.Find(container.Id) ?? throw new ContainerNotFoundException(names[0]);
            int status = Run(root, images, containers, container, interactive, command);
            if (container.AutoRemove)
            {
                isHeld = false;
                held.Dispose();
                containers.Remove(container);
            }

            return status;
        }
        finally
        {
            if (isHeld)
            {
                held.Dispose();
            }
        }
    }

    private int Run(
        StorageRoot root, ImageStore images, ContainerStore containers, ContainerRecord container, bool interactive, ParseResult command)
    {
        RuntimeSpec spec = ReadSpec(containers, container);
        StoredImage image = ContainerTree.ImageOf(images, container);
        using MainProcess process = MainProcess.Start(interactive && container.OpenStdin, spec.Process?.Terminal == true);
        try
        {
            using RootDirectory rootfs = ContainerStart.CreateRootfs(new OverlaySnapshotter(images, containers).Prepare(container.Id, image.Config));
            return new ContainerRun(containers, command.InvocationConfiguration.Error)
            {
                Spec = spec,
                Rootfs = rootfs,
                Seccomp = SeccompSelection.Choose(
                    container.SeccompProfile, container.Privileged, spec.Process?.Capabilities?.Bounding ?? []),
                SeccompCache = System.IO.Path.Join(root.Path, "seccomp"),
                Init = container.Init,
                SignalProxy = command.GetValue(_signalProxy),
            }.Run(process, container with { Error = null });
        }
        catch (ContainerStartException e)
        {
            containers.Update(container with { Pid = 0, ExitCode = e.ExitCode, Error = e.Message });
            throw StartHint.Explain(e, root, images, image, spec.Process);
        }
        catch (OciException e)
        {
            containers.Update(container with { Pid = 0, ExitCode = e.ExitCode, Error = e.Message });
            throw;
        }
    }

    private static RuntimeSpec ReadSpec(ContainerStore containers, ContainerRecord container)
    {
        string file = System.IO.Path.Join(containers.DirectoryOf(container.Id), "config.json");
        try
        {
            return RuntimeSpecReader.ReadConfig(File.ReadAllBytes(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new OciException($"cannot start container '{container.Name}': its configuration '{file}' cannot be read: {Printable.Shorten(e.Message)}", e)
            {
                Hint = "remove the container and create it again",
            };
        }
    }
}
