using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>A layer could not be taken; the cause is the inner exception.</summary>
/// <param name="layer">The layer.</param>
/// <param name="cause">Why.</param>
public sealed class LayerTransferException(LayerContent layer, Exception cause)
    : OciException(Describe(layer, cause), cause)
{
    /// <inheritdoc/>
    public override int ExitCode => (InnerException as OciException)?.ExitCode ?? base.ExitCode;

    /// <summary>Whether the disk or the quota is full.</summary>
    /// <param name="failure">A failure of writing.</param>
    internal static bool IsOutOfSpace(Exception? failure) => failure switch
    {
        null => false,
        ErrnoException { Errno: Errno.ENOSPC or Errno.EDQUOT } => true,
        IOException { HResult: (int)Errno.ENOSPC or (int)Errno.EDQUOT } => true,
        _ => IsOutOfSpace(failure.InnerException),
    };

    internal static LayerTransferException From(LayerContent layer, Exception cause) => new(layer, cause)
    {
        Hint = (cause as OciException)?.Hint,
    };

    private static string Describe(LayerContent layer, Exception cause) =>
        IsOutOfSpace(cause) ? $"no space left on device writing {layer}" : $"{layer}: {cause.Message}";
}
