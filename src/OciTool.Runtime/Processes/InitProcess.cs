using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;

namespace OciTool.Runtime.Processes;

/// <summary>Runs as the first process of the container, until it becomes the container's command.</summary>
/// <remarks>
/// It does one thing after the other on one thread, loads no library, and has nothing of the host left when it
/// executes the command: docs/adr/0001-the-launcher.md.
/// </remarks>
public sealed class InitProcess
{
    /// <summary>The first argument of the binary that makes it run this.</summary>
    public const string Verb = "__init";

    /// <summary>The kinds of messages to the main process.</summary>
    internal const byte FailedMessage = (byte)'E';

    internal const byte TerminalMessage = (byte)'T';

    internal const byte ExecutingMessage = (byte)'X';

    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly ControlSocket _main;
    private readonly InitPlan _plan;
    private string _step = "";
    private string _operand = "";

    private InitProcess(ControlSocket main, InitPlan plan) => (_main, _plan) = (main, plan);

    /// <summary>Runs the process. Main calls it before anything else when its first argument is <see cref="Verb"/>.</summary>
    /// <returns>The status to exit with; only when the container could not be started.</returns>
    public static int Run()
    {
        Credentials.DieWithParent();
        Credentials.Conceal();
        Credentials.SetFileMask(0);
        using SafeFileHandle socket = new(Launcher.FirstPassed, ownsHandle: true);
        using ControlSocket main = new(socket);
        InitPlan? plan = ReceivePlan(main, out SafeFileHandle? mount);
        using SafeFileHandle? held = mount;
        if (plan is null || mount is null)
        {
            return 125; // the main process is gone, or gave up
        }

        using RootDirectory root = new(mount);
        InitProcess process = new(main, plan);
        try
        {
            process.SetUp(root);
            process.Execute();
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

    /// <summary>Where a command may be: itself when it names a path, otherwise a file in each directory of PATH.</summary>
    /// <param name="command">The command.</param>
    /// <param name="environment">The container's environment.</param>
    internal static List<string> Candidates(string command, IReadOnlyList<string> environment)
    {
        if (command.Contains('/', StringComparison.Ordinal))
        {
            return [command];
        }

        string path = DefaultPath;
        for (int i = 0; i < environment.Count; i++)
        {
            if (environment[i].StartsWith("PATH=", StringComparison.Ordinal))
            {
                path = environment[i][5..];
            }
        }

        List<string> candidates = [];
        foreach (Range range in path.AsSpan().Split(':'))
        {
            ReadOnlySpan<char> directory = path.AsSpan()[range];
            if (!directory.IsEmpty && command.Length > 0) // an empty entry would be the working directory
            {
                candidates.Add($"{directory}/{command}");
            }
        }

        return candidates;
    }

    // the root file system comes with the first byte
    private static InitPlan? ReceivePlan(ControlSocket main, out SafeFileHandle? mount)
    {
        Span<byte> header = stackalloc byte[4];
        int received = main.Receive(header, out mount);
        if (mount is null || !main.TryReceiveExactly(header[received..]))
        {
            return null;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 0 or > InitPlan.MaxLength)
        {
            return null;
        }

        byte[] bytes = new byte[length];
        return main.TryReceiveExactly(bytes) ? InitPlan.FromBytes(bytes) : null;
    }

    private void SetUp(RootDirectory root)
    {
        Step("session", "");
        ProcessImage.StartSession();
        if (_plan.OomScoreAdjustment is { } score)
        {
            AdjustOomScore(score);
        }

        Step("cgroup", "");
        for (int i = 0; i < _plan.CgroupFiles.Count; i++)
        {
            Cgroup.Enter(_plan.CgroupFiles[i]);
        }

        string[] cgroups = File.Exists("/proc/self/cgroup") ? File.ReadAllLines("/proc/self/cgroup") : [];
        Step("namespaces", "");
        Namespaces.Unshare(_plan.Namespaces & ~NamespaceKinds.Pid);
        if (_plan.Namespaces.HasFlag(NamespaceKinds.Network))
        {
            Namespaces.SwitchLoopbackOn();
        }

        if (_plan.Namespaces.HasFlag(NamespaceKinds.Uts))
        {
            SetNames();
        }

        Step("keyring", "");
        Credentials.TryJoinKeyring($"_ses.{_plan.Id}");

        using Rootfs rootfs = new(root, _plan) { HostCgroupPaths = cgroups };
        Step("rootfs", "");
        rootfs.Attach();
        for (int i = 0; i < _plan.Mounts.Count; i++)
        {
            Step("mount", _plan.Mounts[i].Destination);
            rootfs.Mount(_plan.Mounts[i]);
        }

        Step("devices", "");
        rootfs.MakeDevices();
        Step("sysctl", "");
        rootfs.SetParameters();
        Step("standard streams", "");
        PrepareStreams(rootfs);
        Step("restrict", "");
        rootfs.Restrict();
        Step("pivot_root", "");
        rootfs.Enter();
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

    private void PrepareStreams(Rootfs rootfs)
    {
        if (_plan.Terminal)
        {
            using SafeFileHandle multiplexer = rootfs.OpenTerminal(out SafeFileHandle peer);
            using (peer)
            {
                Terminal.Adopt(peer);
                Descriptors.Replace(peer, 0);
                Descriptors.Replace(peer, 1);
                Descriptors.Replace(peer, 2);
                _main.Send([TerminalMessage], multiplexer);
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

    private void Execute()
    {
        Step("limits", "");
        for (int i = 0; i < _plan.Limits.Count; i++)
        {
            Namespaces.SetLimit(_plan.Limits[i].Resource, _plan.Limits[i].Soft, _plan.Limits[i].Hard);
        }

        if (_plan.Filter.Length > 0 && !_plan.NoNewPrivileges)
        {
            Step("seccomp", ""); // needs CAP_SYS_ADMIN, so before that is dropped
            Credentials.InstallFilter(_plan.Filter);
        }

        BecomeUser();
        Step(ContainerStartException.DirectoryStep, _plan.Directory);
        if (ProcessImage.TryChangeDirectory(_plan.Directory) is var entered and not Errno.None)
        {
            throw new ErrnoException("chdir", _plan.Directory, entered);
        }

        Credentials.SetFileMask(_plan.FileMask);
        Signals.RestoreDefaults();
        string[] arguments = [.. _plan.Arguments];
        string[] environment = [.. _plan.Environment];
        List<string> candidates = Candidates(arguments[0], environment);
        Step(ContainerStartException.ExecuteStep, arguments[0]);
        _main.Send([ExecutingMessage]);
        Descriptors.CloseOnExecute(3);
        if (_plan.NoNewPrivileges)
        {
            Credentials.ForbidNewPrivileges();
            if (_plan.Filter.Length > 0)
            {
                Credentials.InstallFilter(_plan.Filter);
            }
        }

        throw new ErrnoException("exec", arguments[0], ProcessImage.Execute(candidates, arguments, environment));
    }

    private void BecomeUser()
    {
        Step("user", "");
        CapabilitySet held = Credentials.Permitted(); // what root lacks here, the container lacks too
        Credentials.LimitBoundingSet(_plan.Capabilities.Bounding);
        Credentials.KeepCapabilities(true);
        Credentials.Become(_plan.User, _plan.Group, [.. _plan.Groups]);
        Credentials.KeepCapabilities(false);
        Step("capabilities", "");
        CapabilitySet permitted = _plan.Capabilities.Permitted & held;
        CapabilitySet inheritable = _plan.Capabilities.Inheritable & held;
        Credentials.SetCapabilities(_plan.Capabilities.Effective & permitted, permitted, inheritable);
        Credentials.SetAmbient(_plan.Capabilities.Ambient & permitted & inheritable);
        Credentials.DieWithParent(); // a change of user switches it off
    }

    private void AdjustOomScore(int score)
    {
        Step("oom_score_adj", "");
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", $"{score}");
        }
        catch (UnauthorizedAccessException)
        {
            // only CAP_SYS_RESOURCE may go below what we have: the container stays as easy to kill as we are
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
        PlanWriter writer = new();
        writer.Write((int)errno);
        writer.Write(_step);
        writer.Write(operand);
        _main.Send([FailedMessage, .. writer.ToArray()]);
    }
}
