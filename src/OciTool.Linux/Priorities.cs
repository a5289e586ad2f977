using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>How this thread is scheduled and executed; execve keeps it.</summary>
public static class Priorities
{
    private const nint IOPRIO_WHO_PROCESS = 1;

    /// <summary>Sets how it is scheduled.</summary>
    /// <param name="policy"><c>SCHED_*</c>.</param>
    /// <param name="flags"><c>SCHED_FLAG_*</c>.</param>
    /// <param name="nice">The nice value.</param>
    /// <param name="priority">The priority of real-time policies.</param>
    /// <param name="runtime">Nanoseconds.</param>
    /// <param name="deadline">Nanoseconds.</param>
    /// <param name="period">Nanoseconds.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static unsafe void SetSchedule(
        int policy, ulong flags, int nice, int priority, ulong runtime, ulong deadline, ulong period)
    {
        ScheduleAttributes attributes = new(policy, flags, nice, priority, runtime, deadline, period);
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_sched_setattr, 0, (nint)(&attributes)), "sched_setattr");
    }

    /// <summary>Sets the priority of input and output.</summary>
    /// <param name="priority">The class in the upper bits, from bit 13 on, and the level.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void SetInputOutput(int priority) => Interop.Kernel.Checked(
        Interop.Kernel.Call(Interop.Kernel.SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority), "ioprio_set");

    /// <summary>Sets the personality.</summary>
    /// <param name="personality">For example <c>PER_LINUX32</c>.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static void SetPersonality(int personality) =>
        Interop.Kernel.Checked(Interop.Kernel.Call(Interop.Kernel.SYS_personality, personality), "personality");

    /// <summary>Sets the processors that it runs on.</summary>
    /// <param name="mask">A bit each, the first in the lowest bit of the first byte; a multiple of 8 bytes.</param>
    /// <exception cref="ErrnoException">None of them is there.</exception>
    public static unsafe void SetProcessors(ReadOnlySpan<byte> mask)
    {
        fixed (byte* pointer = mask)
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_sched_setaffinity, 0, mask.Length, (nint)pointer), "sched_setaffinity");
        }
    }

    /// <summary>struct sched_attr, 48 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ScheduleAttributes(
        int policy, ulong flags, int nice, int priority, ulong runtime, ulong deadline, ulong period)
    {
        private readonly uint _size = 48;
        private readonly int _policy = policy;
        private readonly ulong _flags = flags;
        private readonly int _nice = nice;
        private readonly int _priority = priority;
        private readonly ulong _runtime = runtime;
        private readonly ulong _deadline = deadline;
        private readonly ulong _period = period;
    }
}
