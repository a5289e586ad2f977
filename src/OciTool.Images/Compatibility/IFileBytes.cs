namespace OciTool.Images.Compatibility;

/// <summary>The bytes of a file of an image, read where they are needed: a program may have hundreds of megabytes.</summary>
public interface IFileBytes
{
    /// <summary>The size of the file, in bytes.</summary>
    long Length { get; }

    /// <summary>Reads bytes at an offset.</summary>
    /// <param name="offset">Where; not negative.</param>
    /// <param name="buffer">Where to.</param>
    /// <returns>How many bytes were read: fewer than asked for only at the end of the file.</returns>
    int Read(long offset, Span<byte> buffer);
}

/// <summary>A file that is in memory whole.</summary>
/// <param name="bytes">Its content.</param>
public sealed class MemoryBytes(ReadOnlyMemory<byte> bytes) : IFileBytes
{
    /// <inheritdoc/>
    public long Length => bytes.Length;

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> buffer)
    {
        if (offset >= bytes.Length)
        {
            return 0;
        }

        ReadOnlySpan<byte> rest = bytes.Span[(int)offset..];
        int count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return count;
    }
}
