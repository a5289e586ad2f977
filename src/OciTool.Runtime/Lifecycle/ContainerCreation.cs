using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Makes a container of a bundle: <c>create</c> leaves it at its gate, <c>run</c> lets it through.</summary>
/// <remarks>OCI runtime-spec v1.2, runtime.md, "Lifecycle", steps 1 to 9. A failure leaves nothing behind.</remarks>
/// <param name="states">Where it is remembered.</param>
/// <param name="id">Its ID.</param>
/// <param name="bundle">Its bundle.</param>
public sealed class ContainerCreation(StateDirectory states, string id, Bundle bundle)
{
    /// <summary>How long the init process may be silent before it is given up, in milliseconds.</summary>
    internal const int StartTimeout = 60_000;

    private readonly RuntimeSpec _spec = bundle.Spec;
    private Cgroup? _cgroup;
    private ContainerEntry _entry = new(id, bundle.Path, bundle.Rootfs, TimeProvider.System.GetUtcNow())
    {
        Annotations = bundle.Spec.Annotations,
        Hooks = bundle.Spec.Hooks,
    };

    /// <summary>Where the process ID is written to; null for nowhere.</summary>
    public string? PidFile { get; init; }

    /// <summary>The socket that gets our side of the terminal; null for none.</summary>
    public string? ConsoleSocket { get; init; }

    /// <summary>Whether the session keyring stays the caller's.</summary>
    public bool KeepsKeyring { get; init; }

    /// <summary>How many descriptors behind the standard streams the container gets.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>Told what the configuration wishes and the container does not get.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Whether systemd makes the control group.</summary>
    public bool Systemd { get; init; }

    /// <summary>Makes the container, waiting to be started.</summary>
    /// <exception cref="OciException">It cannot be made.</exception>
    /// <exception cref="IOException">A system call failed.</exception>
    public void Create()
    {
        CheckTerminal(isDetached: true);
        using ContainerStreams streams = ContainerStreams.Inherited(ConsoleSocket);
        using InitLink init = Make(streams, waits: true);
        init.Release();
    }

    /// <summary>Makes the container and lets its command run.</summary>
    /// <param name="isDetached">Whether not to wait for it.</param>
    /// <param name="keep">Whether it is kept when it has ended.</param>
    /// <returns>The command's status; 0 when it is not waited for.</returns>
    /// <exception cref="OciException">It cannot be made.</exception>
    /// <exception cref="IOException">A system call failed.</exception>
    public int Run(bool isDetached, bool keep)
    {
        CheckTerminal(isDetached);
        bool terminal = _spec.Process!.Terminal ?? false;
        using ContainerStreams streams = isDetached
            ? ContainerStreams.Inherited(ConsoleSocket)
            : ContainerStreams.Attended(terminal, ConsoleSocket);
        int status;
        try
        {
            using InitLink init = Make(streams, waits: false);
            if (isDetached)
            {
                init.Release();
                return 0;
            }

            status = streams.Attend(init);
        }
        catch (ContainerStartException) when (streams.InterruptedStatus != 0)
        {
            return streams.InterruptedStatus;
        }

        if (!keep)
        {
            RuntimeContainer.Delete(states, id, force: true);
        }

        return status;
    }

    private void CheckTerminal(bool isDetached)
    {
        bool terminal = _spec.Process!.Terminal ?? false;
        if (terminal && isDetached && ConsoleSocket is null)
        {
            throw new OciException("cannot allocate tty if the runtime will detach without setting console socket");
        }

        if (ConsoleSocket is not null && !terminal)
        {
            throw new OciException("cannot use console socket if the runtime will not detach or allocate tty");
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "it belongs to the result, and is disposed after a failure")]
    private InitLink Make(ContainerStreams streams, bool waits)
    {
        Signals.IgnoreClosedPipes();
        ProcessHandle.ExpectChildren();
        string directory = states.Make(id);
        InitLink? init = null;
        try
        {
            using ContainerNamespaces namespaces = ContainerNamespaces.Open(_spec.Linux!);
            init = InitLink.Start(streams.ChildEnds, PreservedDescriptors, namespaces.Birth);
            streams.CloseChildEnds();
            streams.Forward(init);
            File.WriteAllBytes(Path.Join(directory, Bundle.FileName), bundle.Document);
            Prepare(init, namespaces, streams, waits);
            return init;
        }
        catch (Exception e)
        {
            init?.Dispose();
            _cgroup?.KillAll(Signals.Kill);
            _cgroup?.Delete();
            states.Remove(id);
            if (e is HookFailedException && _spec.Hooks?.Poststop is { Count: > 0 } hooks)
            {
                Hooks.Run("poststop", hooks, HookState("stopped", 0));
            }

            throw;
        }
    }

    private void Prepare(InitLink init, ContainerNamespaces namespaces, ContainerStreams streams, bool waits)
    {
        LinuxSpec linux = _spec.Linux!;
        ProcessSpec process = _spec.Process!;
        int pid = init.Process.Id;
        bool isShared = linux.RootfsPropagation is "shared" or "rshared" or "slave" or "rslave";
        using RootDirectory root = OpenRoot(isShared);
        _cgroup = Cgroup.Create(new CgroupRequest(id)
        {
            Path = linux.CgroupsPath is { Length: > 0 } path ? path : null,
            Resources = linux.Resources,
            Systemd = Systemd,
            Pid = pid,
        });
        ProcessMove? move = _cgroup?.Move(pid);
        OomScore.Set(pid, process.OomScoreAdj);
        _entry = _entry with
        {
            Pid = pid,
            StartTime = ProcessStatus.Of(pid).StartTime,
            Cgroup = _cgroup?.Record,
            HasPids = namespaces.New.HasFlag(NamespaceKinds.Pid),
        };
        states.Save(_entry); // hooks may ask for it

        SeccompFilter? filter = linux.Seccomp is { } seccomp ? SeccompCompiler.Compile(seccomp, SeccompDirectory) : null;
        using PlanDescriptors descriptors = new();
        descriptors.Add(root.Handle);
        InitPlan plan = LaunchPlan.From(id, _spec with { Process = KnownCapabilities.Of(process, Warn) }) with
        {
            IsMoved = move is not null,
            CgroupEntrances = descriptors.AddOwned(_cgroup?.OpenEntrances() ?? []),
            MountNamespace = namespaces.Mount is { } mounts ? descriptors.Add(mounts) : -1,
            Gate = waits ? descriptors.AddOwned(Gate.Create(states.GateOf(id))) : -1,
            PreservedDescriptors = PreservedDescriptors,
            KeepsKeyring = KeepsKeyring,
            MakesDirectory = true,
            LimitsAreStrict = true,
            LimitsByMain = namespaces.User is not null && process.Rlimits is { Count: > 0 },
            HasMainHooks = _spec.Hooks is { Prestart.Count: > 0 } or { CreateRuntime.Count: > 0 },
            CreateContainerHooks = _spec.Hooks?.CreateContainer ?? [],
            StartContainerHooks = _spec.Hooks?.StartContainer ?? [],
            HookState = _spec.Hooks is null ? [] : HookState("created", pid),
            Filter = filter?.Program ?? [],
            FilterFlags = filter?.Flags ?? 0,
            Terminal = process.Terminal ?? false,
            TerminalSize = streams.SizeOr(process.ConsoleSize),
        };
        plan = ProcessLabel.AddTo(plan, process);
        plan = plan with { Mounts = MountSources.Prepare(plan.Mounts, _spec.Mounts ?? [], bundle, namespaces.User, descriptors) };
        init.Send(plan, descriptors.All);
        new InitDialogue(init.Control, init.Process, StartTimeout)
        {
            Terminal = streams.Take,
            Group = () => move?.Wait(),
            Hooks = () => RunHooks(pid),
            Limits = () => SetLimits(pid, plan.Limits),
            Listener = file => SeccompAgent.Send(linux.Seccomp!, file, State("creating", pid)),
        }.Listen();

        states.Save(_entry with { IsCreated = true });
        if (PidFile is not null)
        {
            PidFiles.Write(PidFile, pid);
        }

        if (!waits && _spec.Hooks?.Poststart is { Count: > 0 } hooks)
        {
            Hooks.Run("poststart", hooks, HookState("running", pid));
        }
    }

    /// <summary>Where compiled filters are kept; nothing but this runtime may write there.</summary>
    internal static string SeccompDirectory => Path.Join(StateDirectory.Default, ".seccomp");

    /// <summary>Sets the limits of a process that may not raise them itself.</summary>
    internal static void SetLimits(int pid, IReadOnlyList<PlannedLimit> limits)
    {
        for (int i = 0; i < limits.Count; i++)
        {
            ResourceLimits.Set(pid, limits[i].Resource, limits[i].Soft, limits[i].Hard);
        }
    }

    private RootDirectory OpenRoot(bool isShared)
    {
        try
        {
            return DetachedMount.CreateFrom(bundle.Rootfs, isPrivate: !isShared);
        }
        catch (ErrnoException e)
        {
            throw new OciException($"root.path: cannot open {Printable.Shorten(bundle.Rootfs)}: {e.Sentence}", e);
        }
    }

    private void RunHooks(int pid)
    {
        byte[] state = HookState("created", pid);
        Hooks.Run("prestart", _spec.Hooks?.Prestart ?? [], state);
        Hooks.Run("createRuntime", _spec.Hooks?.CreateRuntime ?? [], state);
    }

    private byte[] HookState(string status, int pid) => RuntimeContainer.Serialize(State(status, pid));

    private StateSpec State(string status, int pid) => new(RuntimeSpec.Version, id, status, pid, bundle.Path)
    {
        Rootfs = bundle.Rootfs,
        Created = _entry.Created,
        Annotations = _spec.Annotations,
    };
}
