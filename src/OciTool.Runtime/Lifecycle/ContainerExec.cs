using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Runs one more process in a container.</summary>
/// <param name="container">The container.</param>
/// <param name="id">Its ID.</param>
public sealed class ContainerExec(RuntimeContainer container, string id)
{
    private readonly RuntimeSpec _spec = container.Spec;

    /// <summary>Where the process ID is written to; null for nowhere.</summary>
    public string? PidFile { get; init; }

    /// <summary>The socket that gets our side of the terminal; null for none.</summary>
    public string? ConsoleSocket { get; init; }

    /// <summary>How many descriptors behind the standard streams the process gets.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>Groups below the container's to join.</summary>
    public IReadOnlyList<string> Cgroups { get; init; } = [];

    /// <summary>Told what the process wishes and does not get.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Whether a paused container will do.</summary>
    public bool IgnoresPause { get; init; }

    /// <summary>The container's own process, to make another one from.</summary>
    public ProcessSpec Process => _spec.Process!;

    /// <summary>Runs a process.</summary>
    /// <param name="process">The process; what it leaves open is the container's.</param>
    /// <param name="isDetached">Whether not to wait for it.</param>
    /// <returns>Its status; 0 when it is not waited for.</returns>
    /// <exception cref="OciException">The container does not run, or the process cannot be started.</exception>
    /// <exception cref="IOException">A system call failed.</exception>
    public int Run(ProcessSpec process, bool isDetached)
    {
        switch (container.Status)
        {
            case "stopped":
                throw new OciException("cannot exec in a stopped container");
            case "paused" when !IgnoresPause:
                throw new OciException("cannot exec in a paused container (use --ignore-paused to override)");
        }

        bool terminal = process.Terminal ?? false;
        if (terminal && isDetached && ConsoleSocket is null)
        {
            throw new OciException("cannot allocate tty if the runtime will detach without setting console socket");
        }

        Signals.IgnoreClosedPipes();
        ProcessHandle.ExpectChildren();
        using ContainerStreams streams = isDetached
            ? ContainerStreams.Inherited(ConsoleSocket)
            : ContainerStreams.Attended(terminal, ConsoleSocket);
        try
        {
            using InitLink init = Start(process, streams);
            if (isDetached)
            {
                init.Release();
                return 0;
            }

            return streams.Attend(init);
        }
        catch (ContainerStartException) when (streams.InterruptedStatus != 0)
        {
            return streams.InterruptedStatus;
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "it belongs to the result, and is disposed after a failure")]
    private InitLink Start(ProcessSpec process, ContainerStreams streams)
    {
        using ContainerNamespaces namespaces = OpenNamespaces();
        InitLink init = InitLink.Start(streams.ChildEnds, PreservedDescriptors, namespaces.Birth);
        try
        {
            streams.CloseChildEnds();
            streams.Forward(init);
            int pid = init.Process.Id;
            Cgroup? groups = container.Groups;
            ProcessMove? move = groups?.Move(pid, container.Pid, Cgroups);
            OomScore.Set(pid, process.OomScoreAdj);
            SeccompFilter? filter = _spec.Linux?.Seccomp is { } seccomp
                ? SeccompCompiler.Compile(seccomp, ContainerCreation.SeccompDirectory)
                : null;
            using PlanDescriptors descriptors = new();
            InitPlan plan = LaunchPlan.From(id, KnownCapabilities.Of(process with
            {
                Capabilities = process.Capabilities ?? Process.Capabilities,
                Rlimits = process.Rlimits is { Count: > 0 } ? process.Rlimits : Process.Rlimits,
                NoNewPrivileges = process.NoNewPrivileges ?? Process.NoNewPrivileges,
            }, Warn)) with
            {
                Joins = true,
                MountNamespace = namespaces.Mount is { } mounts ? descriptors.Add(mounts) : -1,
                PidNamespace = namespaces.LastPid is { } pids ? descriptors.Add(pids) : -1,
                IsMoved = move is not null,
                CgroupEntrances = descriptors.AddOwned(groups?.OpenEntrances(Cgroups) ?? []),
                PreservedDescriptors = PreservedDescriptors,
                LimitsAreStrict = true,
                LimitsByMain = namespaces.User is not null,
                Filter = filter?.Program ?? [],
                FilterFlags = filter?.Flags ?? 0,
                Processors = ProcessorList.Parse(process.ExecCPUAffinity?.Final ?? process.ExecCPUAffinity?.Initial),
                Terminal = process.Terminal ?? false,
                TerminalSize = streams.SizeOr(process.ConsoleSize),
            };
            plan = ProcessLabel.AddTo(plan, process with
            {
                ApparmorProfile = process.ApparmorProfile ?? Process.ApparmorProfile,
                SelinuxLabel = process.SelinuxLabel ?? Process.SelinuxLabel,
            });
            init.Send(plan, descriptors.All);
            new InitDialogue(init.Control, init.Process, ContainerCreation.StartTimeout)
            {
                Terminal = streams.Take,
                Group = () => move?.Wait(),
                Limits = () => ContainerCreation.SetLimits(pid, plan.Limits),
                Listener = SendListener,
                Successor = process =>
                {
                    init.ContinueWith(process);
                    if ((plan.FilterFlags & InitPlan.NewListener) != 0)
                    {
                        SendListener(init.Process.Take(Successor.ListenerOf(Launcher.FirstPassed + PreservedDescriptors)));
                    }
                },
            }.Listen();
            init.Settle();
            if (PidFile is not null)
            {
                PidFiles.Write(PidFile, init.Process.Id);
            }

            void SendListener(SafeFileHandle file) =>
                SeccompAgent.Send(_spec.Linux!.Seccomp!, file, container.State with { Pid = init.Process.Id });

            return init;
        }
        catch
        {
            init.Dispose();
            throw;
        }
    }

    private ContainerNamespaces OpenNamespaces()
    {
        try
        {
            return ContainerNamespaces.Of(container.Pid);
        }
        catch (ErrnoException e) when (e.Errno is Errno.ENOENT or Errno.ESRCH)
        {
            throw new OciException("cannot exec in a stopped container", e);
        }
    }
}
