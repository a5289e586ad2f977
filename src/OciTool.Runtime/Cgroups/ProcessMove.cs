using System.Globalization;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>A process on its way into a group of cgroup v2.</summary>
/// <remarks>
/// Nothing may fork in the process while the kernel moves it, and until all processors agree on that it waits for a grace
/// period: 5 to 50 ms. A thread of its own waits too, and whoever prepares the process goes on meanwhile.
/// </remarks>
public sealed class ProcessMove
{
    private const int StackSize = 128 * 1024;

    private readonly string _group;
    private readonly int _pid;
    private readonly Thread _thread;
    private Errno _errno;

    /// <summary>Begins to move a process.</summary>
    /// <param name="group">The group, for messages.</param>
    /// <param name="entrance">Its <c>cgroup.procs</c>; closed here.</param>
    /// <param name="fallback">That of the group for when the first is closed to processes (EBUSY); closed here.</param>
    /// <param name="pid">The process.</param>
    internal ProcessMove(string group, SafeFileHandle entrance, SafeFileHandle? fallback, int pid)
    {
        (_group, _pid) = (group, pid);
        _thread = new Thread(Move, StackSize) { IsBackground = true };
        _thread.Start();

        void Move()
        {
            string number = pid.ToString(CultureInfo.InvariantCulture);
            using (entrance)
            using (fallback)
            {
                _errno = KernelFile.Write(entrance, number);
                if (_errno == Errno.EBUSY && fallback is not null)
                {
                    _errno = KernelFile.Write(fallback, number);
                }
            }
        }
    }

    /// <summary>Waits until the process is there; one that has ended meanwhile is somebody else's failure.</summary>
    /// <exception cref="OciException">The group refuses it.</exception>
    public void Wait()
    {
        _thread.Join();
        if (_errno is not (Errno.None or Errno.ESRCH))
        {
            throw new OciException(
                $"cannot move process {_pid} into cgroup '{Printable.Shorten(_group)}': {ErrnoException.Describe(_errno)}");
        }
    }
}
