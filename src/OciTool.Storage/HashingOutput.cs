using System.Security.Cryptography;

namespace OciTool.Storage;

/// <summary>Hashes what is written through it.</summary>
/// <param name="inner">Takes what was hashed.</param>
/// <param name="hash">The hash.</param>
internal sealed class HashingOutput(Stream inner, IncrementalHash hash) : WriteOnlyStream
{
    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        hash.AppendData(buffer);
        inner.Write(buffer);
    }

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();
}
