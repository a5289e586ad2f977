namespace OciTool.Linux;

/// <summary>A time of a file, as the kernel keeps it.</summary>
/// <param name="Seconds">Seconds since 1970-01-01T00:00:00Z; negative before.</param>
/// <param name="Nanoseconds">0 to 999,999,999 nanoseconds after that second.</param>
public readonly record struct FileTime(long Seconds, uint Nanoseconds)
{
    internal Interop.Libc.TimeSpecification Specification => new(Seconds, Nanoseconds);
}
