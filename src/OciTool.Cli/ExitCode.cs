using System.Diagnostics.CodeAnalysis;
using System.Net.Http;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Cli;

/// <summary>The statuses that the process exits with, and which failure gets which.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>A question was answered with no, or what should be removed is not there.</summary>
    public const int No = 1;

    /// <summary>What should be removed is in use.</summary>
    public const int InUse = 2;

    /// <summary>This tool failed, or was called wrongly.</summary>
    public const int ToolFailed = 125;

    /// <summary>The status after a signal is this plus its number.</summary>
    public const int SignalBase = 128;

    /// <summary>Turns an expected failure into a status and one line for the user; leaves defects alone.</summary>
    /// <param name="exception">The failure.</param>
    /// <param name="signal">The signal that cancelled the verb, or 0.</param>
    /// <param name="failure">The status, the line behind <c>Error:</c> (empty for none) and the hint.</param>
    public static bool TryExplain(Exception exception, int signal, [NotNullWhen(true)] out Failure? failure)
    {
        failure = exception switch
        {
            OciException e => new Failure(e.ExitCode, e.Message, e.Hint),
            // whoever read our output is gone and wants no more of it
            ErrnoException { Errno: Errno.EPIPE } => new Failure(Success, "", Hint: null),
            OperationCanceledException when signal > 0 => new Failure(SignalBase + signal, "", Hint: null),
            OperationCanceledException => new Failure(SignalBase + 2, "interrupted", Hint: null),
            IOException or UnauthorizedAccessException or HttpRequestException =>
                IsBrokenPipe(exception) ? new Failure(Success, "", Hint: null) : new Failure(ToolFailed, Explain(exception), Hint: null),
            AggregateException { InnerExceptions: [{ } only] } => TryExplain(only, signal, out Failure? inner) ? inner : null,
            _ => null,
        };
        return failure is not null;
    }

    private static bool IsBrokenPipe(Exception exception) =>
        exception is IOException { HResult: (int)Errno.EPIPE, InnerException: null };

    // HttpRequestException says what, and its inner exception why
    private static string Explain(Exception exception)
    {
        string message = exception.Message;
        for (Exception? cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (!message.Contains(cause.Message, StringComparison.Ordinal))
            {
                message = $"{message.TrimEnd('.')}: {cause.Message}";
            }
        }

        return Printable.Escape(message.TrimEnd('.'));
    }
}

/// <summary>How the process ends after a failure.</summary>
/// <param name="Status">The exit status.</param>
/// <param name="Message">The line behind <c>Error:</c>; empty when nothing is printed.</param>
/// <param name="Hint">The way out, where there is one.</param>
internal sealed record Failure(int Status, string Message, string? Hint);
