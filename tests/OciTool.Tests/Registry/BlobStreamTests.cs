using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class BlobStreamTests : RegistryTests
{
    private readonly byte[] _content = Bytes(300_000);

    private string?[] Ranges => [.. Registry.Requests.Where(request => request.Url.Contains("/blobs/", StringComparison.Ordinal))
        .Select(request => string.IsNullOrEmpty(request.Range) ? null : request.Range)];

    [Fact]
    public async Task A_blob_comes_as_it_is()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Equal([null], Ranges);
    }

    [Fact]
    [Fault(21, "what is there already is not asked for again")]
    public async Task A_partial_blob_is_continued_at_its_offset()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Assert.Equal(_content[1000..], await PullBlobAsync(blob, offset: 1000));
        Assert.Equal(["bytes=1000-"], Ranges);
    }

    [Fact]
    public async Task A_blob_that_is_whole_already_costs_no_request()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Assert.Empty(await PullBlobAsync(blob, offset: _content.Length));
        Assert.Empty(Registry.Requests);
    }

    [Fact]
    [Fault(22, "as long as bytes come, the download goes on where it broke off")]
    public async Task A_connection_that_breaks_again_and_again_is_continued_as_long_as_bytes_come()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => BreakingAsync(context, breakAfter: 20_000, ignoreRange: false);
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.True(Ranges.Length >= 15);
        Assert.Contains("bytes=20000-", Ranges);
    }

    [Fact]
    [Fault(23, "the bytes that are there are read again and dropped; nothing is appended twice")]
    public async Task A_server_that_ignores_ranges_is_read_from_the_beginning()
    {
        Descriptor blob = Registry.AddBlob(_content);
        int requests = 0;
        Registry.Fault = context => BreakingAsync(context, breakAfter: requests++ == 1 ? 20_000 : int.MaxValue, ignoreRange: true);
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Equal([null, "bytes=20000-"], Ranges);
    }

    [Theory]
    [InlineData("bytes 19999-299999/300000")]
    [InlineData("bytes 20000-299999/300001")]
    [InlineData("bytes 20000-300000/300001")]
    [InlineData("items 20000-299999/300000")]
    [InlineData("bytes */300000")]
    [InlineData(null)]
    [Fault(24, "a part that is not the one asked for is not used: the blob is read once more from its beginning, up to where it broke off")]
    public async Task A_part_that_is_not_the_one_asked_for_makes_it_begin_anew(string? range)
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => WrongPartAsync(context, range, isAsked: !string.IsNullOrEmpty(context.Request.Headers.Range));
        Assert.Equal(_content[20_000..], await PullBlobAsync(blob, offset: 20_000));
        Assert.Equal(["bytes=20000-", null], Ranges);
    }

    [Fact]
    [Fault(24, "a second wrong part is an error that names both ranges")]
    public async Task A_second_part_that_was_not_asked_for_is_an_error()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => WrongPartAsync(context, "bytes 1-299999/300000", context.Request.Path != "/v2/");
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob, offset: 20_000));
        Assert.Contains("asked for the bytes from 20000 of 300000, got 'bytes 1-299999/300000'", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["bytes=20000-", null], Ranges);
    }

    [Fact]
    [Fault(24, "an offset that the registry refuses (416) makes it begin anew, once")]
    public async Task An_offset_that_the_registry_refuses_makes_it_begin_anew_once()
    {
        Descriptor blob = Registry.AddBlob(_content);
        bool always = false;
        Registry.Fault = context =>
        {
            bool refused = context.Request.Path != "/v2/" && (always || !string.IsNullOrEmpty(context.Request.Headers.Range));
            context.Response.StatusCode = refused ? 416 : 200;
            return Task.FromResult(refused);
        };
        Assert.Equal(_content[20_000..], await PullBlobAsync(blob, offset: 20_000));

        always = true;
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob, offset: 20_000));
        Assert.Contains("has no bytes at the offset that was asked for", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["bytes=20000-", null, "bytes=20000-", null], Ranges);
    }

    [Fact]
    [Fault(22, "five connections in a row without a byte end it")]
    public async Task Five_connections_that_bring_nothing_end_it()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => BreakingAsync(context, breakAfter: string.IsNullOrEmpty(context.Request.Headers.Range) ? 20_000 : 0, ignoreRange: false);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
        Assert.Contains("no progress at byte 20000 of 300000 in 5 connections", failure.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4], Time.Waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
    [Fault(30, "less than the manifest promised is never taken for whole")]
    public async Task A_blob_that_is_too_short_is_not_taken_for_whole()
    {
        Descriptor blob = Registry.AddBlob(_content) with { Size = _content.Length + 10 };
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/v2/")
            {
                return false;
            }

            await FaultRegistry.WriteBlobAsync(context, _content, ignoreRange: true);
            return true;
        };
        await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
    }

    [Fact]
    [Fault(30, "more than the manifest promised is seen after one byte")]
    public async Task Of_a_blob_that_is_too_long_one_byte_more_is_given()
    {
        Descriptor blob = Registry.AddBlob(_content) with { Size = 1000 };
        Assert.Equal(_content[..1001], await PullBlobAsync(blob));
    }

    [Fact]
    [Fault(25, "less than 1 KiB in 30 s makes a new connection, at the same byte")]
    public async Task A_stalled_connection_is_replaced()
    {
        Options = Options with { StallTimeout = TimeSpan.FromMilliseconds(200) };
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/v2/" || !string.IsNullOrEmpty(context.Request.Headers.Range))
            {
                return false;
            }

            // a slow loris: bytes come, but not a KiB in the time
            context.Response.ContentLength = _content.Length;
            await context.Response.Body.WriteAsync(_content.AsMemory(0, 20_000));
            for (int i = 20_000; !context.RequestAborted.IsCancellationRequested; i++)
            {
                await context.Response.Body.WriteAsync(_content.AsMemory(i, 1));
                await Task.Delay(20);
            }

            return true;
        };
        Assert.Equal(_content, await PullBlobAsync(blob, time: TimeProvider.System));
        Assert.Equal(2, Ranges.Length);
    }

    [Fact]
    public async Task Giving_up_ends_a_read_that_waits()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/v2/")
            {
                return false;
            }

            await context.Response.Body.FlushAsync();
            await Task.WhenAny(Task.Delay(Timeout.Infinite, context.RequestAborted));
            return true;
        };
        await using RegistryImageSource source = Source();
        using CancellationTokenSource pull = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using Stream stream = await source.OpenBlobAsync(blob, offset: 0, pull.Token);
        Task<int> read = stream.ReadAsync(new byte[10], CancellationToken.None).AsTask();
        await pull.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    private async Task<bool> WrongPartAsync(HttpContext context, string? range, bool isAsked)
    {
        if (isAsked)
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = range;
            await context.Response.Body.WriteAsync(_content.AsMemory(20_000));
        }

        return isAsked;
    }

    private async Task<bool> BreakingAsync(HttpContext context, int breakAfter, bool ignoreRange)
    {
        if (context.Request.Path == "/v2/")
        {
            return false;
        }

        await FaultRegistry.WriteBlobAsync(context, _content, breakAfter, ignoreRange);
        return true;
    }
}
