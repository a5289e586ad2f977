using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Processes;

namespace OciTool.Runtime;

/// <summary>What is in /dev.</summary>
internal sealed partial class Rootfs
{
    private const uint AnyoneReadsAndWrites = 0x1b6; // 0666

    private static readonly PlannedDevice[] DefaultDevices =
    [
        new("null", "c", 1, 3, AnyoneReadsAndWrites, 0, 0),
        new("zero", "c", 1, 5, AnyoneReadsAndWrites, 0, 0),
        new("full", "c", 1, 7, AnyoneReadsAndWrites, 0, 0),
        new("random", "c", 1, 8, AnyoneReadsAndWrites, 0, 0),
        new("urandom", "c", 1, 9, AnyoneReadsAndWrites, 0, 0),
        new("tty", "c", 5, 0, AnyoneReadsAndWrites, 0, 0),
    ];

    /// <summary>Makes the default device nodes, unless /dev is bound from elsewhere, and those that the spec adds.</summary>
    public void MakeDevices()
    {
        if (!plan.Mounts.Any(mount => mount is { Destination: "/dev", Type: "bind" }))
        {
            using SafeFileHandle? ordinary = _devices is null ? MountPoints.OpenOrCreate(root, "/dev", directory: true) : null;
            MakeDefaultDevices(_devices ?? ordinary!);
        }

        for (int i = 0; i < plan.Devices.Count; i++)
        {
            PlannedDevice device = plan.Devices[i];
            int slash = device.Path.LastIndexOf('/');
            using SafeFileHandle directory = MountPoints.OpenOrCreate(
                root, slash <= 0 ? "/" : device.Path[..slash], directory: true);
            MakeDevice(directory, device.Path[(slash + 1)..], device.Path, device);
        }
    }

    /// <summary>Makes the container's terminal and shows it as /dev/console.</summary>
    /// <param name="peer">The side that the container uses.</param>
    /// <returns>The side that the main process reads and writes.</returns>
    [SuppressMessage("Reliability", "CA2000", Justification = "it belongs to the caller")]
    public SafeFileHandle OpenTerminal(out SafeFileHandle peer)
    {
        // both sides come from one devpts by descriptor (CVE-2025-52565): the one that we mounted, else what is at its place
        using SafeFileHandle? found = _terminals is null ? MountPoints.TryOpen(root, "/dev/pts") : null;
        SafeFileHandle terminals = _terminals ?? found ?? throw new ErrnoException("open", "/dev/pts", Errno.ENOENT);
        if (!MountPoints.IsTerminals(terminals))
        {
            throw new OciException("/dev/pts of the container is not a devpts: it cannot have a terminal");
        }

        SafeFileHandle multiplexer = MountPoints.OpenOwn(terminals, "ptmx", write: true);
        peer = Terminal.OpenPeer(multiplexer);
        if (plan.TerminalSize != default)
        {
            Terminal.SetSize(multiplexer, plan.TerminalSize);
        }

        Descriptors.TryChangeOwner(peer, plan.User);
        if (!plan.Joins)
        {
            ShowConsole(peer);
        }

        return multiplexer;
    }

    private void ShowConsole(SafeFileHandle peer)
    {
        using SafeFileHandle? ordinary = _devices is null ? MountPoints.TryOpen(root, "/dev") : null;
        if ((_devices ?? ordinary) is not { } directory || MountPoints.MakeFile(directory, "console") is not (Errno.None or Errno.EEXIST))
        {
            return;
        }

        using SafeFileHandle console = Mounts.Clone(peer, recursive: false, "/dev/console");
        using SafeFileHandle target = MountPoints.OpenOwn(directory, "console", write: false);
        Mounts.Attach(console, target, "/dev/console");
    }

    /// <summary>Opens the container's null device for reading and writing.</summary>
    public SafeFileHandle OpenEmptyInput() => OpenNull(write: true);

    private static void MakeDefaultDevices(SafeFileHandle directory)
    {
        foreach (PlannedDevice device in DefaultDevices)
        {
            MakeDevice(directory, device.Path, $"/dev/{device.Path}", device);
        }

        MountPoints.MakeLink(directory, "fd", "/proc/self/fd");
        MountPoints.MakeLink(directory, "stdin", "/proc/self/fd/0");
        MountPoints.MakeLink(directory, "stdout", "/proc/self/fd/1");
        MountPoints.MakeLink(directory, "stderr", "/proc/self/fd/2");
        MountPoints.MakeLink(directory, "ptmx", "pts/ptmx");
    }

    private static void MakeDevice(SafeFileHandle directory, string name, string path, PlannedDevice device)
    {
        Errno made = MountPoints.MakeNode(
            directory, name, device.Type[0], device.Mode, device.Major, device.Minor);
        if (made == Errno.EPERM)
        {
            BindDevice(directory, name, path);
        }
        else if (made is not (Errno.None or Errno.EEXIST))
        {
            throw new ErrnoException("mknod", device.Path, made);
        }
        else if (device.User != 0 || device.Group != 0)
        {
            MountPoints.ChangeOwner(directory, name, device.User, device.Group);
        }
    }

    // where nodes cannot be made, the host's own does as well
    private static void BindDevice(SafeFileHandle directory, string name, string path)
    {
        using SafeFileHandle source = Mounts.Clone(path, recursive: false);
        MountPoints.MakeFile(directory, name);
        using SafeFileHandle target = MountPoints.OpenOwn(directory, name, write: false);
        Mounts.Attach(source, target, path);
    }
}
