using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Asks before something is removed for good, as podman does: a terminal is not needed, an answer is.</summary>
internal static class Confirmation
{
    /// <summary>Prints a warning and reads one line.</summary>
    /// <param name="warning">What will be removed.</param>
    /// <param name="output">Where the question goes.</param>
    /// <param name="input">Where the answer comes from.</param>
    /// <returns>Whether the answer begins with y.</returns>
    /// <exception cref="OciException">There is no answer.</exception>
    public static bool Ask(string warning, TextWriter output, TextReader input)
    {
        output.Write($"{warning}\nAre you sure you want to continue? [y/N] ");
        output.Flush();
        string answer = input.ReadLine() ?? throw new OciException("no answer, so nothing was removed: EOF") { Hint = "add --force" };
        return answer.StartsWith('y') || answer.StartsWith('Y');
    }
}
