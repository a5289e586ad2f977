using System.Globalization;

namespace OciTool.Linux;

/// <summary>How long to wait for a lock that somebody holds, and whom to tell about it.</summary>
/// <param name="Timeout">The longest wait; null for one without an end.</param>
/// <param name="Tell">Takes one line for people, after <see cref="Quiet"/>; it must not throw.</param>
public sealed record LockPatience(TimeSpan? Timeout, Action<string> Tell)
{
    /// <summary>How long a wait is nothing to speak of.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    /// <summary>Whether a wait of this length is too long.</summary>
    /// <param name="waited">How long it took so far.</param>
    public bool IsOver(TimeSpan waited) => waited >= Timeout;

    /// <summary>What is waited for, for example <c>the lock on '/store/lock', held by pid 4711</c>.</summary>
    /// <param name="path">The lock's file.</param>
    public static string Describe(string path) => LockHolders.Find(path) is { } pid
        ? string.Create(CultureInfo.InvariantCulture, $"the lock on '{path}', held by pid {pid}")
        : $"the lock on '{path}'";
}

/// <summary>Whoever holds a lock did not give it back in time.</summary>
/// <param name="waited">How long it was waited for.</param>
/// <param name="what">What was waited for.</param>
public sealed class LockTimeoutException(TimeSpan waited, string what)
    : IOException(string.Create(CultureInfo.InvariantCulture, $"waited {waited.TotalSeconds:0.##} s in vain for {what}"));
