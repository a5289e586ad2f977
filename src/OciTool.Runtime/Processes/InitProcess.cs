using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Users;

namespace OciTool.Runtime.Processes;

/// <summary>Runs as the first process of the container, until it becomes the container's command.</summary>
/// <remarks>
/// It does one thing after the other on one thread, loads no library, and has nothing of the host left when it
/// executes the command: docs/adr/0001-the-launcher.md.
/// </remarks>
public sealed partial class InitProcess
{
    /// <summary>The first argument of the binary that makes it run this.</summary>
    public const string Verb = "__init";

    private readonly ControlSocket _main;
    private readonly InitPlan _plan;
    private readonly List<SafeFileHandle> _descriptors;
    private bool _alone;
    private bool _grouped;
    private string _step = "";
    private string _operand = "";

    private InitProcess(ControlSocket main, InitPlan plan, List<SafeFileHandle> descriptors) =>
        (_main, _plan, _descriptors) = (main, plan, descriptors);

    private bool HasSuccessor => _plan.PidNamespace >= 0;

    /// <summary>Runs the process. Main calls it before anything else when its first argument is <see cref="Verb"/>.</summary>
    /// <param name="args">The verb, and the number of descriptors that the command gets behind its standard streams.</param>
    /// <returns>The status to exit with; only when the container could not be started.</returns>
    public static int Run(ReadOnlySpan<string> args)
    {
        Credentials.DieWithParent();
        Credentials.Conceal();
        Credentials.SetFileMask(0);
        int preserved = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 0;
        using SafeFileHandle socket = new(Launcher.FirstPassed + preserved, ownsHandle: true);
        using ControlSocket main = new(socket);
        List<SafeFileHandle> descriptors = [];
        InitPlan? plan = ReceivePlan(main, descriptors);
        if (plan is null)
        {
            return 125; // the main process is gone, or gave up
        }

        InitProcess process = new(main, plan, descriptors);
        try
        {
            using SafeFileHandle? label = process.OpenLabel();
            if (plan.Joins)
            {
                process.Join();
            }
            else
            {
                process.SetUp();
            }

            process.Execute(label);
            return 0; // the command is executed by a successor
        }
        catch (ErrnoException e)
        {
            process.Report(e.Errno, e.Message);
        }
        catch (Exception e) when (e is OciException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            process.Report(Errno.None, e.Message);
        }

        return 125;
    }

    private static InitPlan? ReceivePlan(ControlSocket main, List<SafeFileHandle> descriptors)
    {
        Span<byte> header = stackalloc byte[4];
        if (!main.TryReceiveExactly(header) || BinaryPrimitives.ReadInt32LittleEndian(header) is not (>= 0 and <= InitPlan.MaxLength and var length))
        {
            return null;
        }

        byte[] bytes = new byte[length];
        if (!main.TryReceiveExactly(bytes))
        {
            return null;
        }

        InitPlan plan = InitPlan.FromBytes(bytes);
        Span<byte> mark = stackalloc byte[1];
        while (descriptors.Count < plan.DescriptorCount)
        {
            if (main.Receive(mark, descriptors) == 0)
            {
                return null;
            }
        }

        return plan;
    }

    // the label of the command is written last, but /proc must be the host's: a container could have made up another one
    private SafeFileHandle? OpenLabel()
    {
        if (_plan.LabelFile is null)
        {
            return null;
        }

        Step("label", "");
        return File.OpenHandle($"/proc/thread-self/attr/{_plan.LabelFile}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
    }

    /// <summary>Makes a container around this process.</summary>
    private void SetUp()
    {
        Step("session", "");
        ProcessImage.StartSession();
        EnterCgroups();
        Step("namespaces", "");
        if (_plan.MountNamespace >= 0)
        {
            Namespaces.Join(_descriptors[_plan.MountNamespace], NamespaceKinds.Mount);
        }

        Namespaces.Unshare(_plan.Namespaces & ~NamespaceKinds.Cgroup);
        if (_plan.TimeOffsets.Length > 0)
        {
            File.WriteAllText("/proc/self/timens_offsets", _plan.TimeOffsets);
        }

        if (_plan.Namespaces.HasFlag(NamespaceKinds.Network))
        {
            Namespaces.SwitchLoopbackOn();
        }

        SetNames();
        JoinKeyring();
        using RootDirectory root = new(_descriptors[0]);
        using Rootfs rootfs = new(root, _plan, _descriptors);
        Step("rootfs", "");
        rootfs.Attach();
        for (int i = 0; i < _plan.Mounts.Count; i++)
        {
            if (_plan.Mounts[i].Type is "cgroup" or "cgroup2")
            {
                EnterCgroupNamespace(rootfs);
            }

            Step("mount", _plan.Mounts[i].Destination);
            rootfs.Mount(_plan.Mounts[i]);
        }

        EnterCgroupNamespace(rootfs);
        Step("devices", "");
        rootfs.MakeDevices();
        RunHooks();
        Step("sysctl", "");
        rootfs.SetParameters();
        Step("standard streams", "");
        PrepareStreams(rootfs);
        if (_plan.MakesDirectory)
        {
            Step("workdir", _plan.Directory);
            rootfs.MakeDirectory(_plan.Directory);
        }

        Step("restrict", "");
        rootfs.Restrict();
        Step("pivot_root", "");
        rootfs.Enter();
    }

    /// <summary>Joins a container that is there; the namespaces of other kinds than mount are this process's from birth.</summary>
    private void Join()
    {
        Step("session", "");
        ProcessImage.StartSession();
        EnterCgroups();
        Step("namespaces", "");
        if (_plan.MountNamespace >= 0)
        {
            Namespaces.Join(_descriptors[_plan.MountNamespace], NamespaceKinds.Mount);
        }

        JoinKeyring();
        Step("standard streams", "");
        using RootDirectory root = new("/");
        using Rootfs rootfs = new(root, _plan, _descriptors);
        PrepareStreams(rootfs);
        if (HasSuccessor)
        {
            Step("namespaces", "");
            Namespaces.Join(_descriptors[_plan.PidNamespace], NamespaceKinds.Pid); // for children only
        }
    }

    private void EnterCgroups()
    {
        Step("cgroup", "");
        for (int i = 0; i < _plan.CgroupEntrances.Count; i++)
        {
            Errno errno = Cgroup.TryEnter(_descriptors[_plan.CgroupEntrances[i]]);
            if (errno != Errno.None)
            {
                throw new ErrnoException("write", "cgroup", errno);
            }
        }
    }

    /// <summary>Makes the group that this process is in the root of what it sees: as late as can be, for it may be on its way there still.</summary>
    private void EnterCgroupNamespace(Rootfs rootfs)
    {
        if (_grouped)
        {
            return;
        }

        Step("cgroup", "");
        WaitForGroup();
        rootfs.HostCgroupPaths = File.Exists("/proc/self/cgroup") ? File.ReadAllLines("/proc/self/cgroup") : [];
        Namespaces.Unshare(_plan.Namespaces & NamespaceKinds.Cgroup);
    }

    private void WaitForGroup()
    {
        if (_plan.IsMoved && !_grouped)
        {
            Ask(InitMessage.Group);
        }

        _grouped = true;
    }

    private void SetNames()
    {
        Step("hostname", "");
        if (_plan.HostName is { } host)
        {
            Namespaces.SetHostName(host);
        }

        if (_plan.DomainName is { } domain)
        {
            Namespaces.SetDomainName(domain);
        }
    }

    private void JoinKeyring()
    {
        Step("keyring", "");
        if (!_plan.KeepsKeyring)
        {
            Credentials.TryJoinKeyring($"_ses.{_plan.Id}");
        }
    }

    private void RunHooks()
    {
        Step("hooks", "");
        if (_plan.HasMainHooks)
        {
            Ask(InitMessage.Hooks);
        }

        Hooks.Run("createContainer", _plan.CreateContainerHooks, _plan.HookState);
    }

    private void PrepareStreams(Rootfs rootfs)
    {
        if (_plan.Terminal)
        {
            using SafeFileHandle multiplexer = rootfs.OpenTerminal(out SafeFileHandle peer);
            using (peer)
            {
                if (!HasSuccessor)
                {
                    Terminal.Adopt(peer);
                }

                Descriptors.Replace(peer, 0);
                Descriptors.Replace(peer, 1);
                Descriptors.Replace(peer, 2);
                _main.Send([(byte)InitMessage.Terminal], multiplexer);
            }

            return;
        }

        if (_plan.EmptyInput)
        {
            using SafeFileHandle empty = rootfs.OpenEmptyInput();
            Descriptors.Replace(empty, 0);
        }

        for (int number = 0; number < 3 && _plan.User != 0; number++)
        {
            using SafeFileHandle stream = new(number, ownsHandle: false);
            if (Descriptors.IsPipe(stream))
            {
                Descriptors.TryChangeOwner(stream, _plan.User); // else /dev/stdout cannot be opened
            }
        }
    }

    private void Ask(InitMessage question)
    {
        _main.Send([(byte)question]);
        ExpectGo();
    }

    private void ExpectGo()
    {
        Span<byte> received = stackalloc byte[1];
        if (!_main.TryReceiveExactly(received) || received[0] != (byte)InitMessage.Go)
        {
            throw new OciException("the main process is gone");
        }
    }

    /// <summary>Notes what is being done, also as the name of the process: the main process reads it when this one hangs.</summary>
    private void Step(string step, string operand)
    {
        (_step, _operand) = (step, operand);
        Credentials.SetName(step);
    }

    private void Report(Errno errno, string message)
    {
        string operand = _step is ContainerStartException.ExecuteStep or ContainerStartException.DirectoryStep
            ? _operand
            : message;
        if (_alone)
        {
            // the container was created, and who did that has gone: standard error is all that is left
            using SafeFileHandle error = new(2, ownsHandle: false);
            Descriptors.TryWrite(error, Encoding.UTF8.GetBytes($"{Printable.Escape(message)}\n"));
            return;
        }

        PlanWriter writer = new();
        writer.Write((int)errno);
        writer.Write(_step);
        writer.Write(operand);
        _main.Send([(byte)InitMessage.Failed, .. writer.ToArray()]);
    }
}
