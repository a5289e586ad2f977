using System.Net;
using System.Net.Http.Headers;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A blob, or a segment of one, over one connection; one that breaks or stalls is replaced where it ended.</summary>
/// <remarks>
/// The stream does not verify: size and digest are the reader's to check. Of a blob it gives at most one byte more than
/// the descriptor's size, which is what the reader needs to see that the blob is too long. As long as bytes arrive it goes
/// on, however often the connection breaks; five connections in a row that bring nothing end it. A registry that cannot go
/// on at an offset is read once more from the beginning; for a segment that would be too much, and is an error.
/// </remarks>
internal sealed class BlobStream : DownloadStream
{
    private const int MaxFruitless = 5;
    private const int StallBytes = 1024;

    private readonly RegistryClient _client;
    private readonly Descriptor _blob;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationToken _lifetime;
    private readonly long _end; // of what is asked for
    private readonly bool _isSegment;

    private HttpResponseMessage? _response;
    private Stream? _content;
    private CancellationTokenSource? _connection; // cancelled when the connection stalls, or nobody wants it any more
    private ITimer? _timer;
    private long _position;
    private int _fruitless;
    private TimeSpan _waited; // in reads, since StallBytes last came together
    private int _received;
    private bool _rangesFailed;
    private volatile bool _stalled;

    /// <param name="client">Where it comes from.</param>
    /// <param name="blob">What it is.</param>
    /// <param name="offset">The first byte wanted.</param>
    /// <param name="end">Behind the last byte of a segment; null reads the blob to its end.</param>
    /// <param name="options">The stall timeout.</param>
    /// <param name="time">The clock of it.</param>
    /// <param name="lifetime">Ends the stream, also in a read that waits.</param>
    internal BlobStream(
        RegistryClient client, Descriptor blob, long offset, long? end, RegistryOptions options, TimeProvider time, CancellationToken lifetime)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, end ?? blob.Size);
        (_client, _blob, _position, _options, _time, _lifetime) = (client, blob, offset, options, time, lifetime);
        (_end, _isSegment) = (end ?? blob.Size, end is not null);
    }

    /// <summary>Whether the server has said, or shown, that it sends parts of a blob.</summary>
    internal bool KnowsRanges { get; private set; }

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens the first connection, so that a blob that is not there fails now and not in a read.</summary>
    internal async Task ConnectAsync()
    {
        if (_position >= _end)
        {
            return;
        }

        try
        {
            await OpenAsync(_lifetime);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // it broke while what is at hand was skipped: the first read connects again
            CloseConnection();
            _fruitless++;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        buffer = buffer[..(int)Math.Min(buffer.Length, (_isSegment ? _end : _end + 1) - _position)];
        if (buffer.IsEmpty || (_content is null && _position >= _end))
        {
            return 0;
        }

        while (true)
        {
            Exception cause;
            try
            {
                if (_content is null)
                {
                    await OpenAsync(cancellationToken);
                }

                int read = await ReadConnectionAsync(buffer, cancellationToken);
                if (read > 0 || _position >= _end)
                {
                    _position += read;
                    _fruitless = read > 0 ? 0 : _fruitless;
                    return read;
                }

                cause = new HttpIOException(HttpRequestError.ResponseEnded, $"the connection ended {_blob.Size - _position} bytes before the blob");
            }
            catch (Exception e) when (e is IOException or HttpRequestException or RegistryException { IsTransient: true }
                or RegistryException { Status: >= HttpStatusCode.InternalServerError })
            {
                cause = e;
            }

            CloseConnection();
            if (_position >= _end)
            {
                // all that was promised is here; whether there is more, only the broken connection knew
                return 0;
            }

            if (++_fruitless >= MaxFruitless)
            {
                throw new RegistryException(
                    $"blob {_blob.Digest}: no progress at byte {_position} of {_blob.Size} in {MaxFruitless} connections: {Printable.Shorten(cause.Message.TrimEnd('.'))}", cause)
                {
                    Endpoint = (cause as RegistryException)?.Endpoint,
                };
            }

            // the first one at once: a load balancer that closes connections has the next one ready
            if (_fruitless > 1)
            {
                await Task.Delay(TimeSpan.FromSeconds(1 << (_fruitless - 2)), _time, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseConnection();
        }

        base.Dispose(disposing);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await OpenConnectionAsync(cancellationToken);
        }
        catch (RegistryException e) when (IsRangeFailure(e) && !_isSegment && !_rangesFailed && _position > 0)
        {
            CloseConnection();
            _rangesFailed = true;
            await OpenConnectionAsync(cancellationToken);
        }
    }

    private static bool IsRangeFailure(RegistryException e) =>
        e.Status is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable;

    private async Task OpenConnectionAsync(CancellationToken cancellationToken)
    {
        CancellationTokenSource connection = CancellationTokenSource.CreateLinkedTokenSource(_lifetime);
        _connection = connection;
        _stalled = false;
        (_waited, _received) = (TimeSpan.Zero, 0);
        _timer = _time.CreateTimer(
            _ =>
            {
                _stalled = true;
                try
                {
                    connection.Cancel();
                }
                catch (ObjectDisposedException)
                {
                    // closed in this very moment
                }
            },
            state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using CancellationTokenRegistration registration = CancelWith(cancellationToken);
        RangeHeaderValue? range = _isSegment ? new RangeHeaderValue(_position, _end - 1)
            : _position > 0 && !_rangesFailed ? new RangeHeaderValue(_position, to: null)
            : null;
        try
        {
            _response = await _client.GetBlobAsync(_blob.Digest, range, isSpare: _isSegment, connection.Token);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }

        _content = await _response.Content.ReadAsStreamAsync(connection.Token);
        if (_response.StatusCode == HttpStatusCode.PartialContent)
        {
            RequireRange(range, _response.Content.Headers.ContentRange);
            KnowsRanges = true;
        }
        else if (_isSegment)
        {
            CloseConnection();
            throw RangeFailure("everything");
        }
        else
        {
            KnowsRanges = !_rangesFailed && _response.Headers.AcceptRanges.Contains("bytes");
            if (_position > 0)
            {
                await SkipAsync(_position, cancellationToken);
            }
        }
    }

    // RFC 9110, section 14.4: the part that was sent must be the part that was asked for, or its beginning
    private void RequireRange(RangeHeaderValue? asked, ContentRangeHeaderValue? sent)
    {
        bool isWanted = asked is not null && sent is { Unit: "bytes", HasRange: true } && sent.From == _position
            && (!sent.HasLength || sent.Length == _blob.Size) && sent.To < _end;
        if (!isWanted)
        {
            CloseConnection();
            throw RangeFailure(sent is null ? "a part that does not say which" : $"'{Printable.Shorten(sent.ToString(), 64)}'");
        }
    }

    private RegistryException RangeFailure(string got) =>
        new($"blob {_blob.Digest}: asked for the bytes from {_position} of {_blob.Size}, got {got}") { Status = HttpStatusCode.PartialContent };

    // the server ignored the range and begins at the beginning
    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        byte[] ignored = new byte[Math.Min(count, 81920)];
        while (count > 0)
        {
            int read = await ReadConnectionAsync(ignored.AsMemory(0, (int)Math.Min(count, ignored.Length)), cancellationToken);
            count -= read > 0
                ? read
                : throw new HttpIOException(HttpRequestError.ResponseEnded, $"the connection ended {count} bytes before the wanted offset");
        }
    }

    private async ValueTask<int> ReadConnectionAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ValueTask<int> reading = _content!.ReadAsync(buffer, _connection!.Token);
        int read;
        if (reading.IsCompletedSuccessfully)
        {
            read = reading.Result;
        }
        else
        {
            await using CancellationTokenRegistration registration = CancelWith(cancellationToken);
            long start = _time.GetTimestamp();
            TimeSpan left = _options.StallTimeout - _waited;
            _timer!.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            try
            {
                read = await reading;
            }
            catch (OperationCanceledException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _lifetime.ThrowIfCancellationRequested();
                throw _stalled ? new IOException($"stalled: less than {StallBytes} bytes in {_options.StallTimeout.TotalSeconds} s", e) : e;
            }

            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _waited += _time.GetElapsedTime(start);
        }

        _received += read;
        if (_received >= StallBytes)
        {
            (_waited, _received) = (TimeSpan.Zero, 0);
        }

        return read;
    }

    private CancellationTokenRegistration CancelWith(CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(static connection => ((CancellationTokenSource)connection!).Cancel(), _connection);

    private void CloseConnection()
    {
        _timer?.Dispose();
        _content?.Dispose();
        _response?.Dispose();
        _connection?.Dispose();
        (_timer, _content, _response, _connection) = (null, null, null, null);
    }
}
