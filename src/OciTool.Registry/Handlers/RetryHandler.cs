using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace OciTool.Registry.Handlers;

/// <summary>Repeats requests whose failure may pass: connections, 408, 5xx, and 429 when it is time again.</summary>
internal sealed class RetryHandler(RegistryOptions options, TimeProvider time, Action<string> warn) : DelegatingHandler
{
    /// <summary>Set on a request that only finds out whether a server speaks TLS: if it does not, plain HTTP is next.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsTlsAttempt = new("oci.tls-attempt");

    /// <summary>Set on a request without which the caller gets on too: a rate limit ends it at once.</summary>
    internal static readonly HttpRequestOptionsKey<bool> IsSpare = new("oci.spare");

    private const int MaxRateLimited = 5;

    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(60);

    /// <summary>How long a server asks us to wait; null when it does not say, or not so that it can be understood.</summary>
    /// <remarks>RFC 9110, section 10.2.3, and what servers send beyond it: fractions, and Go's durations (<c>985µs</c>).</remarks>
    internal static TimeSpan? RetryAfter(string? value, DateTimeOffset now)
    {
        value = value?.Trim();
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }

        if (DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date))
        {
            return Clamp((date - now).TotalSeconds);
        }

        (string unit, double factor) = value switch
        {
            _ when value.EndsWith("ns", StringComparison.Ordinal) => ("ns", 1e-9),
            _ when value.EndsWith("µs", StringComparison.Ordinal) => ("µs", 1e-6), // U+00B5
            _ when value.EndsWith("μs", StringComparison.Ordinal) => ("μs", 1e-6), // U+03BC
            _ when value.EndsWith("us", StringComparison.Ordinal) => ("us", 1e-6),
            _ when value.EndsWith("ms", StringComparison.Ordinal) => ("ms", 1e-3),
            _ when value.EndsWith('s') => ("s", 1),
            _ when value.EndsWith('m') => ("m", 60),
            _ when value.EndsWith('h') => ("h", 3600),
            _ => ("", 1),
        };
        return double.TryParse(value[..^unit.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && !double.IsNaN(number)
            ? Clamp(number * factor)
            : null;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(AuthHandler.IsOnce, out bool once) && once)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        bool isTlsAttempt = request.Options.TryGetValue(IsTlsAttempt, out bool set) && set;
        int rateLimited = request.Options.TryGetValue(IsSpare, out bool spare) && spare ? MaxRateLimited : 0;
        for (int failures = 0; ;)
        {
            TimeSpan delay;
            string cause;
            try
            {
                HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
                if (response.StatusCode == HttpStatusCode.TooManyRequests && ++rateLimited < MaxRateLimited)
                {
                    string? header = response.Headers.NonValidated.TryGetValues("Retry-After", out var values) ? values.ToString() : null;
                    delay = RetryAfter(header, time.GetUtcNow()) ?? Delay(rateLimited);
                    cause = "rate limited";
                }
                else if (IsTransient(response.StatusCode) && failures < options.Retries)
                {
                    delay = Delay(++failures);
                    cause = $"{(int)response.StatusCode} {response.StatusCode}";
                }
                else
                {
                    return response;
                }

                response.Dispose();
            }
            catch (RegistryException e) when (e.IsTransient && failures < options.Retries && !(isTlsAttempt && e.IsBeforeTls))
            {
                delay = Delay(++failures);
                cause = e.Message.StartsWith(e.Endpoint + ": ", StringComparison.Ordinal) ? e.Message[(e.Endpoint!.Length + 2)..] : e.Message;
            }

            warn($"{Addresses.Origin(request.RequestUri!)}: {cause}, retrying in {Math.Round(delay.TotalSeconds, 1)} s");
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    private static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private static TimeSpan Clamp(double seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 0, MaxDelay.TotalSeconds));

    private TimeSpan Delay(int failures) => options.RetryDelay ?? Backoff(failures);

    // 1, 2, 4 … s, and up to a tenth more so that many clients do not come back at once
    [SuppressMessage("Security", "CA5394", Justification = "jitter needs no secrecy")]
    internal static TimeSpan Backoff(int failures) =>
        Clamp(Math.Pow(2, failures - 1) * (1 + (Random.Shared.NextDouble() / 10)));
}
