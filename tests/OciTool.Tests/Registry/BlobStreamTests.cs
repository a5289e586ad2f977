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
    public async Task A_connection_that_breaks_again_and_again_is_continued_as_long_as_bytes_come()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => BreakingAsync(context, breakAfter: 20_000, ignoreRange: false);
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.True(Ranges.Length >= 15);
        Assert.Contains("bytes=20000-", Ranges);
    }

    [Fact]
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
    public async Task A_part_that_is_not_the_one_asked_for_is_refused(string? range)
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            if (string.IsNullOrEmpty(context.Request.Headers.Range))
            {
                return false;
            }

            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = range;
            await context.Response.Body.WriteAsync(_content.AsMemory(20_000));
            return true;
        };
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob, offset: 20_000));
        Assert.Contains($"asked for the bytes from 20000 of 300000, got the range '{range ?? "none"}'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_offset_that_the_registry_refuses_is_an_error()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context =>
        {
            context.Response.StatusCode = string.IsNullOrEmpty(context.Request.Headers.Range) ? 200 : 416;
            return Task.FromResult(context.Response.StatusCode == 416);
        };
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob, offset: 20_000));
        Assert.Contains("has no bytes at the offset that was asked for", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Five_connections_that_bring_nothing_end_it()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => BreakingAsync(context, breakAfter: string.IsNullOrEmpty(context.Request.Headers.Range) ? 20_000 : 0, ignoreRange: false);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
        Assert.Contains("no progress at byte 20000 of 300000 in 5 connections", failure.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4], Time.Waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
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
    public async Task Of_a_blob_that_is_too_long_one_byte_more_is_given()
    {
        Descriptor blob = Registry.AddBlob(_content) with { Size = 1000 };
        Assert.Equal(_content[..1001], await PullBlobAsync(blob));
    }

    [Fact]
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
