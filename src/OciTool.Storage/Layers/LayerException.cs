using OciTool.Images;

namespace OciTool.Storage.Layers;

/// <summary>A layer is damaged, hostile or larger than allowed; nothing of it may be used.</summary>
/// <remarks>The message names the entry or the offset; which layer it was is for the caller to say.</remarks>
public sealed class LayerException : OciException
{
    /// <summary>Creates a failure of the layer as a whole.</summary>
    /// <param name="message">What is wrong, lower case, without a full stop.</param>
    /// <param name="offset">Where in the uncompressed archive, in bytes; -1 when that says nothing.</param>
    /// <param name="innerException">The cause, when another failure led to this one.</param>
    public LayerException(string message, long offset = -1, Exception? innerException = null)
        : base(message, innerException) => Offset = offset;

    /// <summary>Creates a failure of one entry.</summary>
    /// <param name="entry">The entry's name as the archive has it.</param>
    /// <param name="reason">What is wrong with it.</param>
    /// <param name="offset">Where its header starts in the uncompressed archive, in bytes.</param>
    /// <param name="innerException">The cause, when another failure led to this one.</param>
    public LayerException(ReadOnlySpan<byte> entry, string reason, long offset, Exception? innerException = null)
        : base($"entry {Quote(entry)}: {reason}", innerException)
    {
        Entry = Printable.Escape(entry);
        Offset = offset;
    }

    /// <summary>The name of the entry, safe to print; null when it is not about one entry.</summary>
    public string? Entry { get; }

    /// <summary>Where in the uncompressed archive, in bytes; -1 when that says nothing.</summary>
    public long Offset { get; }

    /// <summary>A name from an archive in quotes, safe to print and cut to the length of an error line.</summary>
    internal static string Quote(ReadOnlySpan<byte> name) =>
        name.Length <= 240 ? $"\"{Printable.Escape(name)}\"" : $"\"{Printable.Escape(name[..240])}…\"";
}
