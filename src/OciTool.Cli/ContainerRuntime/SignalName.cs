using System.Globalization;
using OciTool.Images;

namespace OciTool.Cli.ContainerRuntime;

/// <summary>Signals by number and by name.</summary>
internal static class SignalName
{
    // in the order of signal(7) for x86-64 and arm64: the index is the number less 1
    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
        "PWR", "SYS",
    ];

    /// <summary>Reads a signal: <c>9</c>, <c>KILL</c>, <c>SIGKILL</c>, <c>RTMIN+3</c>.</summary>
    /// <exception cref="OciException">There is no such signal.</exception>
    public static int Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 64)
        {
            return number;
        }

        string name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        int index = Array.IndexOf(Names, name);
        return index >= 0 ? index + 1
            : name == "RTMIN" ? 34
            : name == "RTMAX" ? 64
            : name.StartsWith("RTMIN+", StringComparison.Ordinal) && int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out int above) && above <= 30 ? 34 + above
            : name.StartsWith("RTMAX-", StringComparison.Ordinal) && int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out int below) && below <= 30 ? 64 - below
            : throw new OciException($"unknown signal \"{Printable.Shorten(text)}\"");
    }
}
