namespace OciTool.SystemTests.Fixtures;

/// <summary>Runs the binary under strace(1), which makes system calls fail or kills at one of them, exactly.</summary>
internal static class Strace
{
    /// <summary>Runs it with an injection, which counts the calls of each thread by itself.</summary>
    /// <param name="oci">The store.</param>
    /// <param name="call">The system call, or several with commas.</param>
    /// <param name="injection">For example <c>signal=SIGKILL:when=3</c> or <c>error=EIO:when=1</c>.</param>
    /// <param name="arguments">What to run.</param>
    public static Task<ProgramResult> InjectAsync(this Oci oci, string call, string injection, params string[] arguments)
    {
        Need.Programs("strace");
        return Shell.RunAsync(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", $"trace={call}", "-e", $"inject={call}:{injection}", Oci.Binary, .. oci.Arguments(arguments)],
            oci.CleanEnvironment());
    }
}
