using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using OciTool.Images;
using OciTool.Registry.Handlers;

namespace OciTool.Registry;

/// <summary>Uploads one blob in one stream; a broken connection is replaced, and goes on from where the registry is.</summary>
/// <remarks>
/// distribution-spec v1.1, "Pushing a blob in chunks" and "Resuming an upload"; the whole blob is one chunk unless the
/// registry does not take that much at once. The bytes are hashed as they pass: content that is not what its descriptor
/// names is never finished, and the registry throws it away. As long as bytes arrive it goes on, however often the
/// connection breaks.
/// </remarks>
internal sealed class BlobUpload : IAsyncDisposable
{
    private const int MaxFruitless = 5;
    private const int MaxRestarts = 5;
    private const long SmallerChunk = 32 << 20;
    private const int SmallBlob = 1 << 20; // held in memory, to go with the last request

    private readonly RegistryClient _client;
    private readonly RegistryContext _context;
    private readonly LayerContent _content;
    private readonly Descriptor _blob;
    private readonly PassedBytes _passed;

    private UploadSession _session;
    private Stream? _source;
    private long _sourceOffset;
    private long _offset; // what the registry has
    private long _chunk = long.MaxValue;
    private int _fruitless;
    private int _restarts;
    private byte[] _rest = []; // what the last request carries
    private bool _isVerified;

    internal BlobUpload(RegistryClient client, UploadSession session, LayerContent content, ICopyProgress? progress, RegistryContext context)
    {
        (_client, _session, _content, _context) = (client, session, content, context);
        _blob = content.Blob;
        _passed = new PassedBytes(_blob, progress);
    }

    private string What => $"uploading {_content}";

    /// <summary>Sends the blob and has the registry keep it.</summary>
    /// <exception cref="ContentMismatchException">The source gave something else than the descriptor names.</exception>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not take it.</exception>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_blob.Size <= SmallBlob)
            {
                await TakeSmallAsync(cancellationToken);
            }

            do
            {
                while (_rest.Length == 0 && _offset < _blob.Size)
                {
                    await AdvanceAsync(cancellationToken);
                }

                await RequireContentAsync(cancellationToken);
            }
            while (!await FinishAsync(cancellationToken));
        }
        catch (Exception e) when (e is not (OperationCanceledException or RegistryException { IsTransient: true }))
        {
            await CancelAsync(cancellationToken);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _passed.Dispose();
        await CloseSourceAsync();
    }

    private async Task TakeSmallAsync(CancellationToken cancellationToken)
    {
        await OpenSourceAsync(cancellationToken);
        byte[] bytes = new byte[_blob.Size];
        int read = await _source!.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        _passed.Append(0, bytes.AsSpan(0, read));
        if (read < bytes.Length)
        {
            throw new ContentMismatchException(_blob, $"{read} bytes");
        }

        (_sourceOffset, _offset, _rest) = (read, read, bytes);
    }

    // one piece, or one step after a failure
    private async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        RegistryException cause;
        TimeSpan? wait = null;
        try
        {
            using HttpResponseMessage response = await SendPieceAsync(cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                Accept(response);
                return;
            }

            cause = await _client.ExplainAsync(response, What, cancellationToken);
            switch (response.StatusCode)
            {
                case HttpStatusCode.TooManyRequests:
                    string? header = response.Headers.NonValidated.TryGetValues("Retry-After", out HeaderStringValues values) ? values.ToString() : null;
                    wait = RetryHandler.RetryAfter(header, _context.Time.GetUtcNow()) ?? RetryHandler.Backoff(_fruitless + 1);
                    break;
                case HttpStatusCode.RequestEntityTooLarge when _chunk > SmallerChunk && _blob.Size > SmallerChunk:
                    _chunk = Math.Max(SmallerChunk, _session.MinChunk);
                    break;
                case >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout:
                    wait = RetryHandler.Backoff(_fruitless + 1);
                    break;
                case HttpStatusCode.Unauthorized when _fruitless == 0:  // a new token is there
                case HttpStatusCode.NotFound:                           // the upload is lost
                case HttpStatusCode.RequestedRangeNotSatisfiable:       // the registry is somewhere else
                    break;
                default:
                    throw cause;
            }
        }
        catch (RegistryException e) when (e.IsTransient)
        {
            cause = e;
        }

        if (++_fruitless >= MaxFruitless)
        {
            throw new RegistryException(
                $"{What}: no progress at byte {_offset} of {_blob.Size} in {MaxFruitless} tries: {cause.Message}", cause)
            {
                Status = cause.Status,
                Endpoint = cause.Endpoint,
            };
        }

        // a connection that broke is replaced at once, the first time
        wait ??= _fruitless > 1 ? RetryHandler.Backoff(_fruitless - 1) : null;
        if (wait is { } delay)
        {
            _context.Warn($"{cause.Message}, retrying in {Math.Round(delay.TotalSeconds, 1)} s");
            await Task.Delay(delay, _context.Time, cancellationToken);
        }

        await FindOffsetAsync(cancellationToken);
    }

    private async Task<HttpResponseMessage> SendPieceAsync(CancellationToken cancellationToken)
    {
        await OpenSourceAsync(cancellationToken);
        long length = Math.Min(_chunk, _blob.Size - _offset);
        using UploadWatch watch = new(_context.Options, _context.Time, cancellationToken);
        using UploadContent content = new(_source!, _offset, length, _passed, watch);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        if (length < _blob.Size)
        {
            content.Headers.TryAddWithoutValidation("Content-Range", $"{_offset}-{_offset + length - 1}");
        }

        using HttpRequestMessage request = _client.UploadRequest(HttpMethod.Patch, _session.Location);
        request.Content = content;
        request.Options.Set(AuthHandler.IsOnce, true);
        try
        {
            HttpResponseMessage response = await _client.AskAsync(request, watch.Token);
            _sourceOffset += content.Taken;
            return response;
        }
        catch (Exception e)
        {
            await CloseSourceAsync();
            if (content.SourceFailure is EndOfStreamException)
            {
                throw new ContentMismatchException(_blob, $"{_offset + content.Taken} bytes");
            }

            if (content.SourceFailure is IOException unreadable)
            {
                throw new OciException($"{What}: the source cannot be read: {Printable.Shorten(unreadable.Message.TrimEnd('.'))}", unreadable);
            }

            if (content.SourceFailure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            if (e is OperationCanceledException && watch.HasStalled && !cancellationToken.IsCancellationRequested)
            {
                throw new RegistryException($"{What}: stalled at byte {_offset + content.Taken} of {_blob.Size}", e) { IsTransient = true };
            }

            throw;
        }
    }

    private void Accept(HttpResponseMessage response)
    {
        long sent = Math.Min(_chunk, _blob.Size - _offset);
        long end = Position(response) ?? _offset + sent;
        if (end < _offset || end > _offset + sent)
        {
            throw new RegistryException($"{What}: the registry says that it has {end} bytes after {_offset + sent} were sent");
        }

        _fruitless = end > _offset ? 0 : _fruitless + 1;
        if (_fruitless >= MaxFruitless)
        {
            throw new RegistryException($"{What}: the registry takes none of the bytes behind {_offset}");
        }

        _offset = end;
        _session = _session with { Location = _client.UploadLocation(response) };
    }

    // what the registry has of it, which may be less than was sent, or nothing when it lost the upload
    private async Task FindOffsetAsync(CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = _client.UploadRequest(HttpMethod.Get, _session.Location);
        using HttpResponseMessage response = await _client.AskAsync(request, cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw await _client.ExplainAsync(response, What, cancellationToken);
        }

        // a registry says the same of no byte and of one: what may begin with a byte that is there begins anew
        long? position = response.IsSuccessStatusCode ? Position(response) : null;
        if (position is { } at && at <= _passed.Count && (at > 0 || _passed.Count == 0))
        {
            _fruitless = at > _offset ? 0 : _fruitless;
            _offset = at;
            if (response.Headers.NonValidated.Contains("Location"))
            {
                _session = _session with { Location = _client.UploadLocation(response) };
            }

            return;
        }

        RegistryException cause = response.IsSuccessStatusCode
            ? new RegistryException($"{What}: the registry does not know how much of it it has")
            : await _client.ExplainAsync(response, What, cancellationToken);
        await StartAnewAsync(cause, cancellationToken);
    }

    private async Task StartAnewAsync(RegistryException cause, CancellationToken cancellationToken)
    {
        if (++_restarts > MaxRestarts)
        {
            throw cause;
        }

        _session = (await _client.BeginUploadAsync(_blob, mount: false, cancellationToken))!;
        _offset = 0;
    }

    /// <summary>The digest first: what is wrong here must not be finished there.</summary>
    private async Task RequireContentAsync(CancellationToken cancellationToken)
    {
        if (_isVerified)
        {
            return;
        }

        await OpenSourceAsync(cancellationToken);
        if (await _source!.ReadAsync(new byte[1], cancellationToken) > 0)
        {
            throw new ContentMismatchException(_blob, "more bytes");
        }

        Digest actual = _passed.Finish();
        if (actual != _blob.Digest)
        {
            throw new ContentMismatchException(_blob, $"{_blob.Size} bytes with digest {actual}");
        }

        _isVerified = true;
    }

    private async Task<bool> FinishAsync(CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = _client.UploadRequest(HttpMethod.Put, FinalLocation());
        request.Content = new ByteArrayContent(_rest);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using HttpResponseMessage response = await _client.AskAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return RegistryClient.AnnouncedDigest(response) is { } announced
                && announced.Algorithm == _blob.Digest.Algorithm && announced != _blob.Digest
                    ? throw new RegistryException($"{What}: the registry holds it as {announced}")
                    : true;
        }

        RegistryException cause = await _client.ExplainAsync(response, What, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.NotFound when await _client.HasBlobAsync(_blob, cancellationToken):
                return true; // the answer to an earlier try was lost
            case HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable:
            case HttpStatusCode.BadRequest when _restarts == 0: // it says that it got other bytes
                await StartAnewAsync(cause, cancellationToken);
                return false;
            default:
                throw cause;
        }
    }

    private Uri FinalLocation()
    {
        string location = _session.Location.AbsoluteUri;
        return new Uri($"{location}{(_session.Location.Query.Length == 0 ? "?" : "&")}digest={Uri.EscapeDataString(_blob.Digest.ToString())}");
    }

    private async Task OpenSourceAsync(CancellationToken cancellationToken)
    {
        if (_source is null || _sourceOffset != _offset)
        {
            await CloseSourceAsync();
            _source = await _content.OpenAsync(_offset, cancellationToken);
            _sourceOffset = _offset;
        }
    }

    private async Task CloseSourceAsync()
    {
        if (_source is not null)
        {
            await _source.DisposeAsync();
            _source = null;
        }
    }

    // the registry may collect it; whether it does is not our failure
    private async Task CancelAsync(CancellationToken cancellationToken)
    {
        try
        {
            using HttpRequestMessage request = _client.UploadRequest(HttpMethod.Delete, _session.Location);
            using CancellationTokenSource patience = new(_context.Options.ResponseTimeout, _context.Time);
            using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            request.Options.Set(AuthHandler.IsOnce, true);
            (await _client.AskAsync(request, linked.Token)).Dispose();
        }
        catch (Exception e) when (e is OperationCanceledException or OciException or HttpRequestException)
        {
            // it was only a courtesy
        }
    }

    // "0-4095" are 4096 bytes; "0-0" is what registries say of none
    private static long? Position(HttpResponseMessage response)
    {
        string? range = response.Headers.NonValidated.TryGetValues("Range", out HeaderStringValues values) ? values.ToString() : null;
        ReadOnlySpan<char> text = range.AsSpan();
        text = text.StartsWith("bytes=", StringComparison.Ordinal) ? text["bytes=".Length..] : text;
        return text.StartsWith("0-", StringComparison.Ordinal) && long.TryParse(text[2..], out long last) && last >= 0
            ? last == 0 ? 0 : last + 1
            : null;
    }
}
