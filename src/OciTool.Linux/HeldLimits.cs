namespace OciTool.Linux;

/// <summary>The resource limits of this process.</summary>
public static class HeldLimits
{
    /// <summary>The hard limit of a resource; <see cref="ulong.MaxValue"/> is unlimited.</summary>
    /// <param name="resource">The resource's number (asm-generic/resource.h).</param>
    /// <exception cref="ErrnoException">There is no such resource.</exception>
    public static ulong Hard(int resource) =>
        Interop.Libc.GetLimit(pid: 0, resource, newLimit: 0, out Interop.Libc.LimitPair limit) == 0
            ? limit.Hard
            : throw ErrnoException.FromLastError("prlimit");
}
