using System.Globalization;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>What is done to all processes of the groups.</summary>
public sealed partial class Cgroup
{
    // a fork bomb that cannot be frozen has to be outrun
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10);

    /// <summary>The process IDs of the groups and of those below them, as this process sees them.</summary>
    public IReadOnlyCollection<int> Processes
    {
        get
        {
            SortedSet<int> processes = [];
            if (_directories.Count > 0)
            {
                CgroupProcesses.ReadAll(_files, (Find("freezer") ?? _directories[0]).Path, processes);
            }

            return processes;
        }
    }

    /// <summary>Whether the processes are frozen.</summary>
    public bool IsFrozen => Freezer is { } freezer && CgroupFreezer.IsFrozen(_files, freezer);

    /// <summary>How many processes were killed for want of memory; 0 where nobody counts.</summary>
    public long OomKills
    {
        get
        {
            if (Find("memory") is not { } memory)
            {
                return 0;
            }

            string file = memory.IsUnified ? "memory.events" : "memory.oom_control";
            _files.Read($"{memory.Path}/{file}", out string text);
            foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
            {
                if (line.StartsWith("oom_kill ")
                    && long.TryParse(line["oom_kill ".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long count))
                {
                    return count;
                }
            }

            return 0;
        }
    }

    private CgroupDirectory? Freezer => Find("freezer");

    /// <summary>Stops all processes at once.</summary>
    /// <exception cref="OciException">There is no freezer, or a process does not stop: then all go on.</exception>
    public void Freeze() => CgroupFreezer.Freeze(_files, Freezer ?? throw new OciException("cannot freeze: the host has no freezer"));

    /// <summary>Lets the processes go on.</summary>
    /// <exception cref="OciException">There is no freezer, or it refuses.</exception>
    public void Thaw() => CgroupFreezer.Thaw(_files, Freezer ?? throw new OciException("cannot thaw: the host has no freezer"));

    /// <summary>Sends a signal to all processes.</summary>
    /// <param name="signal">The signal. SIGKILL leaves none behind, even where they fork all the time.</param>
    /// <exception cref="OciException">Processes are left.</exception>
    public void KillAll(int signal)
    {
        if (signal != Signals.Kill)
        {
            SignalFrozen(signal);
            return;
        }

        // one write since Linux 5.14, without a race
        if (IsUnified && _files.Write($"{_directories[0].Path}/cgroup.kill", "1") == Errno.None)
        {
            return;
        }

        long start = Environment.TickCount64;
        for (int pause = 1; ; pause = Math.Min(pause * 2, 50))
        {
            SignalFrozen(signal);
            if (!HasLiving())
            {
                return;
            }

            if (Environment.TickCount64 - start > KillPatience.TotalMilliseconds)
            {
                throw new OciException($"cannot kill the processes of cgroup '{Printable.Shorten(_directories[0].Path)}': some are left");
            }

            Thread.Sleep(pause);
        }
    }

    // frozen they neither fork nor end between the look at the list and the signal, which they get when they go on
    private void SignalFrozen(int signal)
    {
        CgroupDirectory? freezer = Freezer;
        bool wasFrozen = freezer is not null && CgroupFreezer.IsFrozen(_files, freezer);
        if (freezer is not null && !wasFrozen)
        {
            try
            {
                CgroupFreezer.Freeze(_files, freezer);
            }
            catch (OciException)
            {
                freezer = null; // then while they run
            }
        }

        try
        {
            foreach (int pid in Processes)
            {
                Errno error = KernelFile.Signal(pid, signal);
                if (error is not (Errno.None or Errno.ESRCH))
                {
                    throw new OciException($"cannot send signal {signal} to process {pid}: {ErrnoException.Describe(error)}");
                }
            }
        }
        finally
        {
            // The v1 freezer keeps even what was killed; v2 lets it die
            if (freezer is not null && (!wasFrozen || signal == Signals.Kill))
            {
                CgroupFreezer.Thaw(_files, freezer);
            }
        }
    }

    // one that is dead but not yet waited for is still listed
    private bool HasLiving()
    {
        foreach (int pid in Processes)
        {
            if (_files.Read($"/proc/{pid}/stat", out string stat) == Errno.None
                && stat.AsSpan(stat.LastIndexOf(')') + 1) is [_, not ('Z' or 'X'), ..])
            {
                return true;
            }
        }

        return false;
    }

    private CgroupDirectory? Find(string controller)
    {
        foreach (CgroupDirectory directory in _directories)
        {
            if (directory.Has(controller) || IsUnified)
            {
                return directory;
            }
        }

        return null;
    }
}
