using OciTool.Images;

namespace OciTool.Storage;

/// <summary>A layer could not be taken; the cause is the inner exception.</summary>
/// <param name="layer">The layer.</param>
/// <param name="cause">Why.</param>
public sealed class LayerTransferException(LayerContent layer, Exception cause)
    : OciException(Describe(layer, cause), cause)
{
    /// <inheritdoc/>
    public override int ExitCode => (InnerException as OciException)?.ExitCode ?? base.ExitCode;

    internal static LayerTransferException From(LayerContent layer, Exception cause) => new(layer, cause)
    {
        Hint = (cause as OciException)?.Hint,
    };

    private static string Describe(LayerContent layer, Exception cause) =>
        cause is StoreFullException ? cause.Message : $"{layer}: {cause.Message}";
}
