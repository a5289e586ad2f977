using Microsoft.AspNetCore.Http;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The ways in which registries, proxies and networks misbehave.</summary>
internal static class Faults
{
    /// <summary>A whole response that holds less than the descriptor promised.</summary>
    public static Fault Truncated => Content(content => content[..(content.Length / 2)]);

    /// <summary>A whole response that holds more than the descriptor promised.</summary>
    public static Fault TooLong => Content(content => [.. content, .. new byte[1000]]);

    /// <summary>The right size, one bit wrong.</summary>
    public static Fault OneBitWrong => Content(content =>
    {
        byte[] other = [.. content];
        other[^1] ^= 1;
        return other;
    });

    /// <summary>Text where the content should be, as a captive portal sends it.</summary>
    public static Fault Html => Content(_ => "<html>please log in</html>"u8.ToArray());

    /// <summary>An answer without content.</summary>
    public static Fault Status(int status) => (context, _, _) =>
    {
        context.Response.StatusCode = status;
        return Task.FromResult(true);
    };

    /// <summary>A fault that is over after so many requests.</summary>
    public static Fault Times(int times, Fault fault) => (context, content, attempt) =>
        attempt < times ? fault(context, content, attempt) : Task.FromResult(false);

    /// <summary>Promises everything, sends a part and resets the connection.</summary>
    public static Fault ResetAt(int offset) => async (context, content, _) =>
    {
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content.AsMemory(0, offset), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        context.Abort();
        return true;
    };

    /// <summary>Sends a part and then nothing until <paramref name="release"/> ends; tells when it waits.</summary>
    public static Fault StallAt(int offset, TaskCompletionSource stalled, Task release) => async (context, content, _) =>
    {
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content.AsMemory(0, offset), context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        stalled.TrySetResult();
        await Task.WhenAny(release, Task.Delay(Timeout.Infinite, context.RequestAborted));
        context.Abort();
        return true;
    };

    private static Fault Content(Func<byte[], byte[]> change) => async (context, content, _) =>
    {
        byte[] other = change(content);
        context.Response.ContentLength = other.Length;
        await context.Response.Body.WriteAsync(other, context.RequestAborted);
        return true;
    };
}
