using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>A Linux system call failed; reads like a shell message.</summary>
/// <remarks>An <see cref="IOException"/>, so that failures of the class library and of the kernel are caught alike.</remarks>
public sealed class ErrnoException : IOException
{
    /// <summary>Creates a failure.</summary>
    /// <param name="call">The call, for example <c>openat2</c>.</param>
    /// <param name="operand">What it acted on, usually a path.</param>
    /// <param name="errno">Why it failed.</param>
    public ErrnoException(string call, string? operand, Errno errno)
        : base($"{call}{(operand is null ? "" : $" '{operand}'")}: {Reason(call, errno)}") =>
        (Call, Errno) = (call, errno);

    /// <summary>The call that failed.</summary>
    public string Call { get; }

    /// <summary>Why the call failed.</summary>
    public Errno Errno { get; }

    /// <summary>The C library's sentence for an error number, for example <c>No such file or directory</c>.</summary>
    /// <param name="errno">The error number.</param>
    public static string Describe(Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);

    /// <summary>Why the call failed, in words.</summary>
    public string Sentence => Reason(Call, Errno);

    /// <summary>Captures <c>errno</c> of the call that just failed on this thread.</summary>
    /// <param name="call">The call, for example <c>openat2</c>.</param>
    /// <param name="operand">What it acted on, usually a path.</param>
    internal static ErrnoException FromLastError(string call, string? operand = null) =>
        new(call, operand, (Errno)Marshal.GetLastPInvokeError());

    // the newest calls that a container cannot do without: an older kernel is not a fault of what they are about
    private static string Reason(string call, Errno errno) => (call, errno) switch
    {
        ("mount_setattr", Errno.ENOSYS) => $"{Describe(errno)} (it needs Linux 5.12 or newer, and no filter that hides it)",
        ("close_range", Errno.ENOSYS or Errno.EINVAL) => $"{Describe(errno)} (it needs Linux 5.11 or newer, and no filter that hides it)",
        _ => Describe(errno),
    };
}
