using System.Buffers;

namespace OciTool.Registry;

/// <summary>Reads bodies with a limit of ours, whatever their length claims to be.</summary>
internal static class HttpBody
{
    /// <summary>The most bytes that are read of an error or a token: 64 KiB.</summary>
    internal const int MaxSmall = 64 << 10;

    /// <summary>Reads a body to its end, or one byte more than the limit.</summary>
    internal static async Task<byte[]> ReadAsync(HttpContent content, int limit, CancellationToken cancellationToken)
    {
        await using Stream stream = await content.ReadAsStreamAsync(cancellationToken);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16384);
        try
        {
            using MemoryStream body = new();
            int read;
            while (body.Length <= limit && (read = await stream.ReadAsync(
                buffer.AsMemory(0, (int)Math.Min(buffer.Length, limit + 1 - body.Length)), cancellationToken)) > 0)
            {
                await body.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            return body.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
