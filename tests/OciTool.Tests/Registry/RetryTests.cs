using System.Globalization;
using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Registry.Handlers;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class RetryTests : RegistryTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-11-24T18:00:00Z", CultureInfo.InvariantCulture);

    private int ManifestRequests => Registry.Requests.Count(request => request.Url.Contains("/manifests/", StringComparison.Ordinal));

    [Theory]
    [InlineData("3", 3)]
    [InlineData(" 0.5 ", 0.5)]
    [InlineData("985µs", 0.000985)]
    [InlineData("20ms", 0.02)]
    [InlineData("2s", 2)]
    [InlineData("1e9", 60)]
    [InlineData("99999999999999999999999", 60)]
    [InlineData("-5", 0)]
    [InlineData("Tue, 24 Nov 2026 18:00:10 GMT", 10)]
    [InlineData("Tue, 24 Nov 2026 17:00:00 GMT", 0)]
    [InlineData("Mon, 24 Nov 2036 17:00:00 GMT", 60)]
    [Fault(27, "Retry-After is honoured as seconds, fraction, duration or date, from 0 to 60 s, whatever it says")]
    [Fault(20, "a date in the past is no negative wait, one in the far future no wait of years")]
    public void The_wait_that_a_server_asks_for_is_honoured_within_a_minute(string header, double seconds) =>
        Assert.Equal(seconds, RetryHandler.RetryAfter(header, Now)!.Value.TotalSeconds, tolerance: 1e-6);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("NaN")]
    [Fault(27, "without an understandable Retry-After the wait is 1, 2, 4, 8 s")]
    public void A_wait_that_cannot_be_understood_is_none(string? header) => Assert.Null(RetryHandler.RetryAfter(header, Now));

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(408)]
    [Fault(26, "three tries more, 1, 2 and 4 s apart, then the status and the registry are named")]
    public async Task What_may_pass_is_tried_three_times_more_after_1_2_and_4_seconds(int status)
    {
        FailManifests(status, times: 100);
        RegistryException failure = await FailureAsync();
        Assert.Equal(4, ManifestRequests);
        Assert.Equal([1, 2, 4], Time.Waits.Select(wait => Math.Floor(wait.TotalSeconds)));
        Assert.Contains($" {status} ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, Warnings.Count);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [Fault(29, "one request and no wait")]
    public async Task What_will_not_pass_is_not_tried_again(int status)
    {
        FailManifests(status, times: 100);
        await FailureAsync();
        Assert.Equal(1, ManifestRequests);
        Assert.Empty(Time.Waits);
    }

    [Fact]
    [Fault(27, "the wait is announced: rate limited, retrying in N s")]
    public async Task A_rate_limit_is_waited_for_and_told()
    {
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        FailManifests(429, times: 4, retryAfter: "7");
        await ResolveAsync();
        Assert.Equal([7, 7, 7, 7], Time.Waits.Select(wait => wait.TotalSeconds));
        Assert.Equal($"{Registry.Origin}: rate limited, retrying in 7 s", Warnings[0]);
    }

    [Fact]
    [Fault(27, "given up after five tries")]
    public async Task A_rate_limit_that_stays_is_given_up_after_five_tries()
    {
        FailManifests(429, times: 100, retryAfter: "1");
        Assert.Contains("too many requests", (await FailureAsync()).Message, StringComparison.Ordinal);
        Assert.Equal(5, ManifestRequests);
    }

    [Fact]
    [Fault(21, "a request that is cut before its answer is sent again")]
    public async Task A_connection_that_is_cut_before_the_answer_is_tried_again()
    {
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        int requests = 0;
        Registry.Fault = context =>
        {
            bool isCut = context.Request.Path != "/v2/" && requests++ == 0;
            if (isCut)
            {
                context.Abort();
            }

            return Task.FromResult(isCut);
        };
        await ResolveAsync();
        Assert.Equal(2, requests);
    }

    [Fact]
    public async Task A_registry_that_is_down_says_connection_refused()
    {
        Reference reference = Registry.Reference("fedora:34");
        await Registry.DisposeAsync();
        await using RegistryImageSource source = Source(reference);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
        Assert.Equal($"http://{reference.Registry}: connection refused", failure.Message);
        Assert.Equal([1, 2, 4], Time.Waits.Select(wait => Math.Floor(wait.TotalSeconds)));
    }

    [Fact]
    [Fault(25, "headers that do not come within 60 s end the request")]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        Options = Options with { ResponseTimeout = TimeSpan.FromMilliseconds(300) };
        Registry.Fault = async context =>
        {
            if (context.Request.Path != "/v2/")
            {
                await Task.WhenAny(Task.Delay(Timeout.Infinite, context.RequestAborted));
            }

            return false;
        };
        await using RegistryImageSource source = Source(time: TimeProvider.System);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
        Assert.EndsWith("no answer within 0.3 s", failure.Message, StringComparison.Ordinal);
    }

    private void FailManifests(int status, int times, string? retryAfter = null) => Registry.Fault = context =>
    {
        if (context.Request.Path == "/v2/" || times-- <= 0)
        {
            return Task.FromResult(false);
        }

        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = retryAfter;
        return Task.FromResult(true);
    };
}
