using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Linux;
using OciTool.Runtime.Users;

namespace OciTool.Runtime.Processes;

/// <summary>From the container's root to the command: its priorities, limits, user, filter, and how it is executed.</summary>
public sealed partial class InitProcess
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private (CapabilitySet Effective, CapabilitySet Permitted, CapabilitySet Inheritable)? _successorCapabilities;

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

    private void Execute(SafeFileHandle? label)
    {
        SetPriorities();
        SetLimits();
        string[] environment = [.. _plan.Environment];
        if (!Array.Exists(environment, variable => variable.StartsWith("HOME=", StringComparison.Ordinal)))
        {
            Step("home", "");
            using RootDirectory root = new("/");
            environment = [.. environment, $"HOME={UserLookup.HomeOf(_plan.User, root)}"];
        }

        if (!_plan.NoNewPrivileges && !HasSuccessor)
        {
            InstallFilter(); // needs CAP_SYS_ADMIN, so before that is dropped
        }

        // root may enter what the user may not, and the other way round
        Step(ContainerStartException.DirectoryStep, _plan.Directory);
        Errno entered = ProcessImage.TryChangeDirectory(_plan.Directory);
        BecomeUser();
        Step(ContainerStartException.DirectoryStep, _plan.Directory);
        if (entered is Errno.EACCES or Errno.EPERM)
        {
            entered = ProcessImage.TryChangeDirectory(_plan.Directory);
        }

        if (entered != Errno.None)
        {
            throw new ErrnoException("chdir", _plan.Directory, entered);
        }

        Credentials.SetFileMask(_plan.FileMask);
        string[] arguments = [.. _plan.Arguments];
        Step(ContainerStartException.ExecuteStep, arguments[0]);
        (string? path, Errno reason) = Executables.Find(Candidates(arguments[0], environment));
        if (path is null)
        {
            throw new ErrnoException("exec", arguments[0], reason);
        }

        if (label is not null)
        {
            Descriptors.Write(label, Encoding.UTF8.GetBytes(_plan.Label!), "label");
        }

        bool listens = (_plan.FilterFlags & InitPlan.NewListener) != 0;
        if (_plan.NoNewPrivileges)
        {
            Credentials.ForbidNewPrivileges();
            if (listens && !HasSuccessor)
            {
                InstallFilter(); // while there is somebody to take the listener
            }
        }

        if (!_plan.DiesWithMain)
        {
            Credentials.OutliveParent();
        }

        WaitForGroup();
        if (HasSuccessor)
        {
            Succeed(path, arguments, environment);
            return;
        }

        WaitAtGate();
        Step(ContainerStartException.ExecuteStep, arguments[0]);
        Signals.RestoreDefaults();
        if (_plan.Gate < 0)
        {
            _main.Send([(byte)InitMessage.Executing]);
        }

        Descriptors.CloseOnExecute(Launcher.FirstPassed + _plan.PreservedDescriptors);
        if (_plan.NoNewPrivileges && !listens)
        {
            InstallFilter();
        }

        throw new ErrnoException("exec", arguments[0], ProcessImage.Execute([path], arguments, environment));
    }

    /// <summary>Has the command executed by a process in the container's PID namespace, and hands that over to the main process.</summary>
    private void Succeed(string path, string[] arguments, string[] environment)
    {
        Step("process", "");
        Signals.RestoreDefaults();
        _descriptors.ForEach(descriptor => descriptor.Dispose());
        using Successor successor = Successor.Start(path, arguments, environment, new SuccessorRequest
        {
            Descriptors = Launcher.FirstPassed + _plan.PreservedDescriptors,
            AdoptsTerminal = _plan.Terminal,
            Filter = _plan.Filter,
            FilterFlags = _plan.FilterFlags,
            Capabilities = _successorCapabilities,
        });
        _main.Send([(byte)InitMessage.Successor], successor.Process.Handle);
        ExpectGo();
        Step(ContainerStartException.ExecuteStep, arguments[0]);
        Errno errno = successor.Execute();
        if (errno != Errno.None)
        {
            throw new ErrnoException("exec", arguments[0], errno);
        }

        _main.Send([(byte)InitMessage.Executing]);
    }

    private void SetPriorities()
    {
        Step("priority", "");
        if (_plan.Processors.Length > 0)
        {
            Priorities.SetProcessors(_plan.Processors);
        }

        if (_plan.Schedule is { } schedule)
        {
            Priorities.SetSchedule(
                schedule.Policy, schedule.Flags, schedule.Nice, schedule.Priority, schedule.Runtime, schedule.Deadline, schedule.Period);
        }

        if (_plan.InputOutputPriority is { } priority)
        {
            Priorities.SetInputOutput(priority);
        }

        if (_plan.Personality is { } personality)
        {
            Priorities.SetPersonality(personality);
        }
    }

    private void SetLimits()
    {
        Step("limits", "");
        if (_plan.LimitsByMain)
        {
            Ask(InitMessage.Limits);
            return;
        }

        for (int i = 0; i < _plan.Limits.Count; i++)
        {
            PlannedLimit limit = _plan.Limits[i];
            if (_plan.LimitsAreStrict)
            {
                ResourceLimits.Set(0, limit.Resource, limit.Soft, limit.Hard);
            }
            else
            {
                ResourceLimits.SetAsFarAsAllowed(limit.Resource, limit.Soft, limit.Hard);
            }
        }
    }

    private void InstallFilter()
    {
        if (_plan.Filter.Length == 0)
        {
            return;
        }

        Step("seccomp", "");
        nint listener = Credentials.InstallFilter(_plan.Filter, _plan.FilterFlags);
        if ((_plan.FilterFlags & InitPlan.NewListener) != 0)
        {
            using SafeFileHandle file = new(listener, ownsHandle: true);
            _main.Send([(byte)InitMessage.Listener], file);
            ExpectGo();
        }
    }

    private void BecomeUser()
    {
        Step("user", "");
        CapabilitySet held = Credentials.Permitted(); // what root lacks here, the container lacks too
        Credentials.LimitBoundingSet(_plan.Capabilities.Bounding);
        Credentials.KeepCapabilities(true);
        if (!_plan.KeepsGroups)
        {
            Credentials.SetGroups([.. _plan.Groups]);
        }

        Credentials.Become(_plan.User, _plan.Group);
        Credentials.KeepCapabilities(false);
        Step("capabilities", "");
        CapabilitySet permitted = _plan.Capabilities.Permitted & held;
        CapabilitySet inheritable = _plan.Capabilities.Inheritable & held;
        CapabilitySet effective = _plan.Capabilities.Effective & permitted;
        if (HasSuccessor && !_plan.NoNewPrivileges && _plan.Filter.Length > 0)
        {
            // its filter needs it; it drops what is more than it should have then
            _successorCapabilities = (effective, permitted, inheritable);
            CapabilitySet administration = CapabilitySet.SystemAdministration & held;
            (effective, permitted) = (effective | administration, permitted | administration);
        }

        Credentials.SetCapabilities(effective, permitted, inheritable);
        Credentials.SetAmbient(_plan.Capabilities.Ambient & permitted & inheritable);
        Credentials.DieWithParent(); // a change of user switches it off
    }

    /// <summary>Tells that all is ready and waits to be let through; the hooks of this moment run then.</summary>
    private void WaitAtGate()
    {
        if (_plan.Gate >= 0)
        {
            Step("gate", "");
            _main.Send([(byte)InitMessage.Ready]);
            _main.Dispose();
            _alone = true;
            Gate.Wait(_descriptors[_plan.Gate]);
        }

        Step("hooks", "");
        Hooks.Run("startContainer", _plan.StartContainerHooks, _plan.HookState);
    }
}
