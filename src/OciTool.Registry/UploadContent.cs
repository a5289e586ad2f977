using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A piece of a blob on its way to a registry: hashed as it passes, and watched, so that it does not stall.</summary>
/// <param name="source">What to read; it stays open.</param>
/// <param name="offset">Where it stands in the blob.</param>
/// <param name="length">How many bytes of it to send.</param>
/// <param name="passed">Told of each byte of the blob once.</param>
/// <param name="watch">Is told when a write waits for the network.</param>
internal sealed class UploadContent(Stream source, long offset, long length, PassedBytes passed, UploadWatch watch) : HttpContent
{
    private const int BufferSize = 128 << 10;

    /// <summary>How many bytes were taken from the source.</summary>
    internal long Taken { get; private set; }

    /// <summary>Why the source gave no more; null when it was not the source.</summary>
    internal Exception? SourceFailure { get; private set; }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (Taken < length)
            {
                int read = await ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - Taken)), cancellationToken);
                passed.Append(offset + Taken, buffer.AsSpan(0, read));
                Taken += read;
                watch.WaitForNetwork();
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                watch.Rest();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        watch.WaitForAnswer();
    }

    private async Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            int read = await source.ReadAsync(buffer, cancellationToken);
            return read > 0 ? read : throw new EndOfStreamException();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SourceFailure = e;
            throw;
        }
    }
}

/// <summary>What of a blob has passed: each byte is hashed and counted once, also where a part is sent again.</summary>
internal sealed class PassedBytes(Descriptor blob, ICopyProgress? progress) : IDisposable
{
    private readonly IncrementalHash _hash = blob.Digest.CreateHash();

    /// <summary>How many bytes from the beginning have passed.</summary>
    internal long Count { get; private set; }

    internal void Append(long offset, ReadOnlySpan<byte> bytes)
    {
        long known = Count - offset;
        if (known < bytes.Length)
        {
            ReadOnlySpan<byte> fresh = bytes[(int)known..];
            _hash.AppendData(fresh);
            Count += fresh.Length;
            progress?.Advanced(blob, fresh.Length);
        }
    }

    /// <summary>The digest of what has passed; asked once.</summary>
    internal Digest Finish() => Digest.Of(_hash);

    public void Dispose() => _hash.Dispose();
}

/// <summary>Cancels a transfer that does not move, while it is the network's turn.</summary>
internal sealed class UploadWatch : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly CancellationTokenSource _transfer;
    private readonly ITimer _timer;
    private volatile bool _stalled;

    internal UploadWatch(RegistryOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        _options = options;
        _transfer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _timer = time.CreateTimer(_ => Stall(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it was this that ended the transfer.</summary>
    internal bool HasStalled => _stalled;

    internal CancellationToken Token => _transfer.Token;

    internal void WaitForNetwork() => _timer.Change(_options.StallTimeout, Timeout.InfiniteTimeSpan);

    internal void WaitForAnswer() => _timer.Change(_options.ResponseTimeout, Timeout.InfiniteTimeSpan);

    internal void Rest() => _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _timer.Dispose();
        _transfer.Dispose();
    }

    private void Stall()
    {
        _stalled = true;
        try
        {
            _transfer.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // over in this very moment
        }
    }
}
