using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>A container that a runtime remembers, and what can be done with it.</summary>
/// <remarks>OCI runtime-spec v1.2, runtime.md; the texts of errors are those that engines match.</remarks>
public sealed class RuntimeContainer
{
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    private readonly StateDirectory _states;
    private readonly ContainerEntry _entry;

    private RuntimeContainer(StateDirectory states, ContainerEntry entry) => (_states, _entry) = (states, entry);

    /// <summary>Its first process as the host numbers it.</summary>
    public int Pid => _entry.Pid;

    /// <summary><c>creating</c>, <c>created</c>, <c>running</c>, <c>paused</c> or <c>stopped</c>.</summary>
    public string Status
    {
        get
        {
            ProcessStatus process = ProcessStatus.Of(_entry.Pid);
            return !process.Lives || process.StartTime != _entry.StartTime ? "stopped"
                : !_entry.IsCreated ? "creating"
                : File.Exists(_states.GateOf(_entry.Id)) ? "created"
                : Groups is { IsFrozen: true } ? "paused"
                : "running";
        }
    }

    /// <summary>Its state as the specification has it.</summary>
    public StateSpec State
    {
        get
        {
            string status = Status;
            return new(RuntimeSpec.Version, _entry.Id, status, status == "stopped" ? 0 : _entry.Pid, _entry.Bundle)
            {
                Rootfs = _entry.Rootfs,
                Created = _entry.Created,
                Owner = "",
                Annotations = _entry.Annotations,
            };
        }
    }

    /// <summary>Its control groups; null for none.</summary>
    public Cgroup? Groups => _entry.Cgroup is { } record ? Cgroup.Open(record) : null;

    /// <summary>Its configuration as it was when it was created.</summary>
    internal RuntimeSpec Spec => RuntimeSpecReader.ReadConfig(File.ReadAllBytes(_states.ConfigOf(_entry.Id)));

    /// <summary>Finds a container.</summary>
    /// <exception cref="OciException">There is none, or the ID is not one.</exception>
    public static RuntimeContainer Find(StateDirectory states, string id) => new(states, states.Load(id));

    /// <summary>All containers.</summary>
    public static IEnumerable<RuntimeContainer> All(StateDirectory states)
    {
        foreach (string id in states.List())
        {
            if (states.TryLoad(id) is { } entry)
            {
                yield return new(states, entry);
            }
        }
    }

    /// <summary>Lets a created container's command run.</summary>
    /// <exception cref="OciException">It is not created, or its process is gone.</exception>
    public void Start()
    {
        string status = Status;
        string gate = _states.GateOf(_entry.Id);
        switch (status)
        {
            case "created" when Processes.Gate.Open(gate):
                File.Delete(gate);
                break;
            case "created" or "stopped":
                throw new OciException("cannot start a container that has stopped");
            case "creating":
                throw new OciException("cannot start a container that is still being created");
            default:
                throw new OciException("cannot start an already running container");
        }

        if (_entry.Hooks?.Poststart is { Count: > 0 } hooks)
        {
            try
            {
                Hooks.Run("poststart", hooks, Serialize(State));
            }
            catch (OciException)
            {
                KillProcesses();
                throw;
            }
        }
    }

    /// <summary>Sends a signal.</summary>
    /// <param name="signal">The signal's number.</param>
    /// <param name="all">Whether to send it to every process of the container.</param>
    /// <exception cref="OciException">The container is not running.</exception>
    public void Kill(int signal, bool all)
    {
        if (all)
        {
            Groups?.KillAll(signal);
            return;
        }

        if (Status is "stopped" or "creating")
        {
            throw new OciException("container not running");
        }

        using ProcessHandle process = Open() ?? throw new OciException("container not running");
        if (!process.TrySignal(signal))
        {
            throw new OciException("container not running");
        }

        if (signal == Signals.Kill && Groups is { IsFrozen: true } frozen)
        {
            frozen.Thaw(); // a frozen process does not even die
        }
    }

    /// <summary>Removes a container with all that belongs to it.</summary>
    /// <param name="states">Where containers are remembered.</param>
    /// <param name="id">Its ID.</param>
    /// <param name="force">Whether it is ended when it runs, and whether it is well when there is none.</param>
    /// <param name="warn">Told of a poststop hook that has failed.</param>
    /// <exception cref="OciException">There is none, or it runs.</exception>
    public static void Delete(StateDirectory states, string id, bool force, Action<string>? warn = null)
    {
        if (states.TryLoad(id) is not { } entry)
        {
            if (!force)
            {
                throw new OciException("container does not exist");
            }

            states.Remove(id); // what a create that was killed has left
            return;
        }

        new RuntimeContainer(states, entry).Delete(force, warn);
    }

    /// <summary>Stops all its processes until it is resumed.</summary>
    /// <exception cref="OciException">It does not run, or the host has no freezer.</exception>
    public void Pause()
    {
        string status = Status;
        if (status is not ("running" or "created"))
        {
            throw new OciException($"container not running or created: {status}");
        }

        (Groups ?? throw new OciException("cannot pause a container without a cgroup")).Freeze();
    }

    /// <summary>Lets its processes go on.</summary>
    /// <exception cref="OciException">It is not paused.</exception>
    public void Resume()
    {
        if (Groups is not { IsFrozen: true } groups)
        {
            throw new OciException("container not paused");
        }

        groups.Thaw();
    }

    /// <summary>Writes a state as hooks and callers get it.</summary>
    public static byte[] Serialize(StateSpec state) => [.. RuntimeJson.ToBytes(state, RuntimeJson.Write)];

    private void Delete(bool force, Action<string>? warn)
    {
        string status = Status;
        if (status is "running" or "paused" && !force)
        {
            throw new OciException($"cannot delete container {_entry.Id} that is not stopped: {status}");
        }

        if (status != "stopped" || !_entry.HasPids)
        {
            KillProcesses();
        }

        if (Groups is { } groups)
        {
            groups.KillAll(Signals.Kill); // what has joined from outside is not in its PID namespace's care
            if (!groups.Delete())
            {
                throw new OciException($"cannot remove the cgroup of container {_entry.Id}: it is busy");
            }
        }

        StateSpec state = State with { Status = "stopped", Pid = 0 };
        _states.Remove(_entry.Id);
        foreach (HookSpec hook in _entry.Hooks?.Poststop ?? [])
        {
            try
            {
                Hooks.Run("poststop", [hook], Serialize(state));
            }
            catch (HookFailedException e)
            {
                warn?.Invoke(e.Message); // the container is gone: nothing is left to be undone
            }
        }
    }

    private void KillProcesses()
    {
        using ProcessHandle? process = Open();
        process?.TrySignal(Signals.Kill);
        if (Groups is { } groups)
        {
            if (groups.IsFrozen)
            {
                groups.Thaw();
            }

            if (!_entry.HasPids)
            {
                groups.KillAll(Signals.Kill);
            }
        }

        if (process is not null && !process.WaitForEnd((int)KillTimeout.TotalMilliseconds))
        {
            throw new OciException($"container {_entry.Id} did not end {KillTimeout.TotalSeconds} s after it was killed");
        }
    }

    private ProcessHandle? Open()
    {
        try
        {
            ProcessHandle process = new(_entry.Pid);
            if (ProcessStatus.Of(_entry.Pid).StartTime == _entry.StartTime)
            {
                return process;
            }

            process.Dispose(); // the number means another process by now
            return null;
        }
        catch (ErrnoException)
        {
            return null;
        }
    }
}
