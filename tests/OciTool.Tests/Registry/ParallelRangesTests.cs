using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>A large blob on a slow connection comes over several; any trouble with that is nobody's.</summary>
public sealed class ParallelRangesTests : RegistryTests
{
    private const int SegmentSize = 20_000;

    private readonly byte[] _content = Bytes(1_000_000);
    private readonly ConcurrentQueue<int> _segments = new();
    private int _atOnce;
    private int _mostAtOnce;

    // every connection counts as slow
    public ParallelRangesTests() => Options = Options with
    {
        Ranges = new ParallelRanges
        {
            MinRest = 100_000,
            Watch = TimeSpan.Zero,
            FastEnough = double.MaxValue,
            SegmentSize = SegmentSize,
            Trial = int.MaxValue,
        },
    };

    [Fact]
    public async Task A_blob_that_comes_in_segments_is_the_same_blob()
    {
        Assert.Equal(_content, await PullAsync());
        Assert.InRange(_mostAtOnce, 2, 4);
        Assert.True(_segments.Count >= 40, $"{_segments.Count} segments");
        Assert.Equal(_segments.Count, _segments.Distinct().Count()); // no byte is asked for twice
    }

    [Fact]
    public async Task It_begins_at_the_offset_where_an_earlier_download_ended()
    {
        Assert.Equal(_content[123_456..], await PullAsync(offset: 123_456));
        Assert.All(_segments, start => Assert.True(start > 123_456));
    }

    [Fact]
    [Fault(21, "a segment whose connection breaks goes on by itself, where it broke off")]
    public async Task A_segment_whose_connection_breaks_goes_on_by_itself()
    {
        int broken = 0;
        Assert.Equal(_content, await PullAsync((start, end) => end - start == SegmentSize && Interlocked.Increment(ref broken) <= 5 ? 7_000 : null));
        Assert.True(broken > 5);
    }

    [Theory]
    [InlineData("ignored")]
    [InlineData("another part")]
    [InlineData("416")]
    [InlineData("429")]
    [InlineData("404")]
    [Fault(24, "a server that does not give segments gives the blob over one connection: no error, no wait")]
    public async Task Whatever_is_odd_about_a_segment_one_connection_does_it(string what)
    {
        int odd = 0;
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            if (Range(context) is not { } range || Interlocked.Increment(ref odd) < 3)
            {
                return await ServeAsync(context, breakAfter: null);
            }

            switch (what)
            {
                case "ignored":
                    await FaultRegistry.WriteBlobAsync(context, _content, ignoreRange: true);
                    break;
                case "another part":
                    context.Response.StatusCode = 206;
                    context.Response.Headers.ContentRange = $"bytes {range.Start + 1}-{range.End}/{_content.Length}";
                    await context.Response.Body.WriteAsync(_content.AsMemory(range.Start + 1, 100));
                    break;
                default:
                    context.Response.StatusCode = int.Parse(what, CultureInfo.InvariantCulture);
                    break;
            }

            return true;
        };
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Empty(Warnings);
        Assert.InRange(odd, 3, 10); // and no more segments after that
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_does_not_say_that_it_knows_ranges_is_not_asked_for_them(bool saysNone)
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/v2/")
            {
                return false;
            }

            context.Response.Headers.AcceptRanges = saysNone ? "none" : default;
            await FaultRegistry.WriteBlobAsync(context, _content, ignoreRange: true);
            return true;
        };
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Single(Registry.Requests, request => request.Url.Contains("/blobs/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_fast_connection_stays_alone()
    {
        Options = Options with { Ranges = Options.Ranges with { FastEnough = 0 } };
        await PullAsync();
        Assert.Empty(_segments);
    }

    [Fact]
    public async Task Several_connections_that_are_slower_than_one_are_given_up()
    {
        Options = Options with { Ranges = Options.Ranges with { Trial = 2 } };
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            await Task.Delay(Range(context) is null ? 0 : 100);
            return await ServeAsync(context, breakAfter: null);
        };
        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.InRange(_segments.Count, 2, 12);
    }

    [Fact]
    public async Task Six_blobs_at_once_are_enough_connections()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => ServeAsync(context, breakAfter: null);
        await using RegistryImageSource source = Source();
        List<Stream> others = [];
        for (int i = 0; i < 5; i++)
        {
            others.Add(await source.OpenBlobAsync(blob, _content.Length, Cancel));
        }

        await using (Stream stream = await source.OpenBlobAsync(blob, offset: 0, Cancel))
        {
            await stream.CopyToAsync(Stream.Null, Cancel);
        }

        Assert.Empty(_segments);
        others.ForEach(other => other.Dispose());
        await using Stream alone = await source.OpenBlobAsync(blob, offset: 0, Cancel);
        await alone.CopyToAsync(Stream.Null, Cancel);
        Assert.NotEmpty(_segments);
    }

    [Fact]
    public async Task Giving_up_in_the_middle_gives_all_buffers_back()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => ServeAsync(context, breakAfter: null);
        await using RegistryImageSource source = Source();
        for (int round = 0; round < 5; round++)
        {
            _segments.Clear();
            await using Stream stream = await source.OpenBlobAsync(blob, offset: 0, Cancel);
            await stream.ReadExactlyAsync(new byte[200_000], Cancel);
            Assert.NotEmpty(_segments);
        }
    }

    [Fact]
    public async Task A_failure_behind_a_segment_is_the_failure_of_the_blob()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = async context =>
        {
            if (Range(context) is { } range && range.Start > 500_000)
            {
                context.Response.StatusCode = 404;
                return true;
            }

            return context.Request.Headers.Range.ToString() is ['b', .., '-']
                ? await NotFoundAsync(context)
                : await ServeAsync(context, breakAfter: null);
        };
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
        Assert.Contains("not found", failure.Message, StringComparison.Ordinal);
    }

    private static Task<bool> NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return Task.FromResult(true);
    }

    private async Task<byte[]> PullAsync(Func<int, int, int?>? breakAfter = null, long offset = 0)
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context => ServeAsync(context, breakAfter);
        byte[] pulled = await PullBlobAsync(blob, offset);
        Assert.Empty(Warnings);
        return pulled;
    }

    private async Task<bool> ServeAsync(HttpContext context, Func<int, int, int?>? breakAfter)
    {
        if (context.Request.Path == "/v2/")
        {
            return false;
        }

        context.Response.Headers.AcceptRanges = "bytes";
        if (Range(context) is not { } range)
        {
            string text = context.Request.Headers.Range.ToString();
            int from = text.Length == 0 ? 0 : int.Parse(text["bytes=".Length..^1], CultureInfo.InvariantCulture);
            if (from > 0)
            {
                context.Response.StatusCode = 206;
                context.Response.Headers.ContentRange = $"bytes {from}-{_content.Length - 1}/{_content.Length}";
            }

            context.Response.ContentLength = _content.Length - from;
            await context.Response.Body.WriteAsync(_content.AsMemory(from));
            return true;
        }

        _segments.Enqueue(range.Start);
        int now = Interlocked.Increment(ref _atOnce);
        _mostAtOnce = Math.Max(_mostAtOnce, now);
        await Task.Delay(5);
        context.Response.StatusCode = 206;
        context.Response.Headers.ContentRange = $"bytes {range.Start}-{range.End}/{_content.Length}";
        context.Response.ContentLength = range.End - range.Start + 1;
        int? stop = breakAfter?.Invoke(range.Start, range.End + 1);
        await context.Response.Body.WriteAsync(_content.AsMemory(range.Start, stop ?? (range.End - range.Start + 1)));
        await context.Response.Body.FlushAsync();
        Interlocked.Decrement(ref _atOnce);
        if (stop is not null)
        {
            await Task.Delay(20);
            context.Abort();
        }

        return true;
    }

    // of a segment: it has an end
    private static (int Start, int End)? Range(HttpContext context)
    {
        string text = context.Request.Headers.Range.ToString();
        if (text.Length == 0 || text[^1] == '-')
        {
            return null;
        }

        string[] ends = text["bytes=".Length..].Split('-');
        return (int.Parse(ends[0], CultureInfo.InvariantCulture), int.Parse(ends[1], CultureInfo.InvariantCulture));
    }
}
