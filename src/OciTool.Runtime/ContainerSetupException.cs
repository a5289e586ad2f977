using OciTool.Images;

namespace OciTool.Runtime;

/// <summary>The container cannot be set up as it was asked for: the image lacks a user, a group or a directory.</summary>
public sealed class ContainerSetupException(string message, Exception? innerException = null)
    : OciException(message, innerException)
{
    /// <inheritdoc/>
    public override int ExitCode => 126;
}
