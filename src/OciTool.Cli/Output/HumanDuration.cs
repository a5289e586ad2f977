namespace OciTool.Cli.Output;

/// <summary>A span of time in words, by the rules that podman and docker share.</summary>
internal static class HumanDuration
{
    /// <summary>The span in words, for example <c>About a minute</c>.</summary>
    /// <param name="span">The span; below one second it is <c>Less than a second</c>.</param>
    public static string Format(TimeSpan span)
    {
        long seconds = (long)span.TotalSeconds;
        long minutes = (long)span.TotalMinutes;
        long hours = (long)(span.TotalHours + 0.5);
        return seconds < 1 ? "Less than a second"
            : seconds == 1 ? "1 second"
            : seconds < 60 ? $"{seconds} seconds"
            : minutes == 1 ? "About a minute"
            : minutes < 60 ? $"{minutes} minutes"
            : hours == 1 ? "About an hour"
            : hours < 48 ? $"{hours} hours"
            : hours < 24 * 7 * 2 ? $"{hours / 24} days"
            : hours < 24 * 30 * 2 ? $"{hours / 24 / 7} weeks"
            : hours < 24 * 365 * 2 ? $"{hours / 24 / 30} months"
            : $"{(long)span.TotalHours / 24 / 365} years";
    }

    /// <summary>How long ago a moment was, for example <c>2 years ago</c>.</summary>
    /// <param name="moment">The moment.</param>
    /// <param name="now">The present.</param>
    public static string Since(DateTimeOffset moment, DateTimeOffset now) => $"{Format(now - moment)} ago";
}
