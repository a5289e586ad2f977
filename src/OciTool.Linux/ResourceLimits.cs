namespace OciTool.Linux;

/// <summary>The resource limits of a process: prlimit(2).</summary>
public static class ResourceLimits
{
    /// <summary>Sets a limit.</summary>
    /// <param name="process">The process ID; 0 for this process.</param>
    /// <param name="resource">The number of the limit, <c>RLIMIT_*</c>.</param>
    /// <param name="soft">The limit in force.</param>
    /// <param name="hard">The ceiling of the soft limit.</param>
    /// <exception cref="ErrnoException">The kernel refuses, as it does without CAP_SYS_RESOURCE where a ceiling is to be raised.</exception>
    public static unsafe void Set(int process, int resource, ulong soft, ulong hard)
    {
        ulong* limit = stackalloc ulong[2] { soft, hard };
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_prlimit64, process, resource, (nint)limit), "prlimit", $"rlimit type {resource}");
    }

    /// <summary>Sets a limit of this process, as far as it may.</summary>
    /// <param name="resource">The number of the limit, <c>RLIMIT_*</c>.</param>
    /// <param name="soft">The limit in force.</param>
    /// <param name="hard">The ceiling of the soft limit.</param>
    /// <exception cref="ErrnoException">The kernel refuses for another reason than missing privilege.</exception>
    public static unsafe void SetAsFarAsAllowed(int resource, ulong soft, ulong hard)
    {
        ulong* limit = stackalloc ulong[2] { soft, hard };
        if (Interop.Kernel.Call(Interop.Kernel.SYS_prlimit64, 0, resource, (nint)limit) == 0)
        {
            return;
        }

        // without CAP_SYS_RESOURCE a ceiling can only be lowered: what is there is the most that can be had
        ulong* current = stackalloc ulong[2];
        Interop.Kernel.Checked(Interop.Kernel.Call(Interop.Kernel.SYS_prlimit64, 0, resource, 0, (nint)current), "prlimit");
        ulong ceiling = Math.Min(hard, current[1]);
        Set(0, resource, Math.Min(soft, ceiling), ceiling);
    }
}
