using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace OciTool.Cli.Commands;

/// <summary>Makes the loggers of the libraries: lines on standard error.</summary>
internal static class Logs
{
    /// <summary>Makes loggers; called only by verbs that log.</summary>
    /// <param name="level">The least grave level, as <c>--log-level</c> names it.</param>
    /// <returns>Loggers that the caller disposes.</returns>
    public static ILoggerFactory Create(string level)
    {
        LogEventLevel least = level switch
        {
            "trace" => LogEventLevel.Verbose,
            "debug" => LogEventLevel.Debug,
            "info" => LogEventLevel.Information,
            "warn" or "warning" => LogEventLevel.Warning,
            "error" => LogEventLevel.Error,
            _ => LogEventLevel.Fatal,
        };
        return new SerilogLoggerFactory(
            new LoggerConfiguration()
                .MinimumLevel.Is(least)
                .WriteTo.Console(
                    outputTemplate: "{Timestamp:HH:mm:ss.fff} {Level:u4} {Message:lj}{NewLine}{Exception}",
                    standardErrorFromLevel: LogEventLevel.Verbose)
                .CreateLogger(),
            dispose: true);
    }
}
