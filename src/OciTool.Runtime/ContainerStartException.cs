using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime;

/// <summary>A container could not be started: carries the step that failed, on what, and why.</summary>
public sealed class ContainerStartException : OciException
{
    /// <summary>The step that finds and executes the command.</summary>
    public const string ExecuteStep = "exec";

    /// <summary>The step that enters the working directory.</summary>
    public const string DirectoryStep = "chdir";

    /// <summary>Creates a failure.</summary>
    /// <param name="step">What was being done, for example <c>mount</c>.</param>
    /// <param name="operand">What it was done on.</param>
    /// <param name="errno">Why it failed; <see cref="Errno.None"/> where the operand says it all.</param>
    public ContainerStartException(string step, string operand, Errno errno)
        : base(Describe(step, operand, errno))
    {
        Step = step;
        Operand = operand;
        Errno = errno;
        ExitCode = (step, errno) switch
        {
            (ExecuteStep, Errno.ENOENT or Errno.ENOTDIR) => 127,
            (ExecuteStep or DirectoryStep, _) => 126,
            _ => 125,
        };
    }

    /// <summary>What was being done.</summary>
    public string Step { get; }

    /// <summary>What it was done on; may come from the image.</summary>
    public string Operand { get; }

    /// <summary>Why it failed.</summary>
    public Errno Errno { get; }

    /// <summary>126 for a command that cannot be invoked, 127 for one that is not there, 125 for the rest.</summary>
    public override int ExitCode { get; }

    // scripts match the phrases of podman and runc
    private static string Describe(string step, string operand, Errno errno)
    {
        string name = Printable.Shorten(operand);
        string cause = errno == Errno.None ? "" : $": {ErrnoException.Describe(errno).ToLowerInvariant()}";
        return (step, errno) switch
        {
            (ExecuteStep, Errno.ENOENT or Errno.ENOTDIR) =>
                $"exec: \"{name}\": {(operand.Contains('/', StringComparison.Ordinal)
                    ? "no such file or directory"
                    : "executable file not found in $PATH")}: OCI runtime attempted to invoke a command that was not found",
            (ExecuteStep, Errno.EACCES or Errno.EISDIR) => $"exec: \"{name}\": permission denied: OCI permission denied",
            (ExecuteStep, _) => $"exec: \"{name}\"{cause}",
            (DirectoryStep, Errno.ENOENT) => $"workdir \"{name}\" does not exist in the container",
            (DirectoryStep, Errno.EXDEV) => $"workdir \"{name}\" is outside of the container",
            (DirectoryStep, _) => $"workdir \"{name}\"{cause}",
            _ => $"cannot start the container: {step}: {Printable.Escape(operand)}",
        };
    }
}
