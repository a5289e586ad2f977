using System.Buffers;

namespace OciTool.Registry;

/// <summary>Reads small bodies with limits of ours: of size, whatever their length claims to be, and of time.</summary>
internal sealed class BodyReader(RegistryOptions options, TimeProvider time)
{
    /// <summary>The most bytes that are read of an error or a token: 64 KiB.</summary>
    internal const int MaxSmall = 64 << 10;

    /// <summary>Reads a body to its end, or one byte more than the limit.</summary>
    /// <exception cref="IOException">The connection broke, or the body took too long.</exception>
    /// <exception cref="HttpRequestException">The connection broke.</exception>
    internal async Task<byte[]> ReadAsync(HttpContent content, int limit, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(options.ResponseTimeout, time);
        using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16384);
        try
        {
            await using Stream stream = await content.ReadAsStreamAsync(linked.Token);
            using MemoryStream body = new();
            int read;
            while (body.Length <= limit && (read = await stream.ReadAsync(
                buffer.AsMemory(0, (int)Math.Min(buffer.Length, limit + 1 - body.Length)), linked.Token)) > 0)
            {
                body.Write(buffer.AsSpan(0, read));
            }

            return body.ToArray();
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"the body was not complete within {options.ResponseTimeout.TotalSeconds} s", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a body that only adds to what the status says: nothing, when it does not come whole.</summary>
    internal async Task<byte[]> TryReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(content, MaxSmall, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return [];
        }
    }
}
