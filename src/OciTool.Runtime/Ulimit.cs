using System.Globalization;
using OciTool.Images;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime;

/// <summary>Resource limits by the names of <c>--ulimit</c> and by the kernel's numbers.</summary>
public static class Ulimit
{
    // in the order of asm-generic/resource.h: the index is the number
    private static readonly string[] Names =
    [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
        "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
    ];

    /// <summary>Parses the value of <c>--ulimit</c>: <c>name=soft[:hard]</c>, where -1 is unlimited.</summary>
    /// <exception cref="OciException">It is not of that form.</exception>
    public static RlimitSpec Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = (equals < 0 ? text : text[..equals]).ToLowerInvariant();
        if (equals < 0 || Array.IndexOf(Names, name) < 0)
        {
            throw Invalid(equals < 0 ? "it has no '='" : $"invalid ulimit type: {Printable.Shorten(name)}");
        }

        string[] limits = text[(equals + 1)..].Split(':');
        if (limits.Length > 2)
        {
            throw Invalid("too many limits");
        }

        ulong soft = ParseLimit(limits[0]);
        ulong hard = limits.Length == 2 ? ParseLimit(limits[1]) : soft;
        return soft <= hard
            ? new($"RLIMIT_{name.ToUpperInvariant()}", soft, hard)
            : throw Invalid($"ulimit soft limit must be less than or equal to hard limit: {limits[0]} > {limits[1]}");

        ulong ParseLimit(string limit) =>
            limit == "-1" ? ulong.MaxValue
            : ulong.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value
            : throw Invalid($"'{Printable.Shorten(limit)}' is not a number");

        OciException Invalid(string cause) =>
            new($"ulimit option \"{Printable.Shorten(text)}\" requires name=SOFT:HARD, failed to be parsed: {cause}");
    }

    /// <summary>The kernel's number of a limit.</summary>
    /// <param name="type">For example <c>RLIMIT_NOFILE</c>.</param>
    internal static int NumberOf(string type) =>
        Array.IndexOf(Names, type["RLIMIT_".Length..].ToLowerInvariant());
}
