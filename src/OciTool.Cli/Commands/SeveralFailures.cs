using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Verbs that take several names do what they can, and then say what failed as podman does.</summary>
internal static class SeveralFailures
{
    /// <summary>Throws what failed; the gravest status wins.</summary>
    /// <param name="failures">One for each name that failed.</param>
    /// <returns><see cref="ExitCode.Success"/> when there is none.</returns>
    public static int Report(IReadOnlyList<OciException> failures) => failures switch
    {
        [] => ExitCode.Success,
        [var only] => throw only,
        _ => throw new SeveralException(failures),
    };

    private sealed class SeveralException(IReadOnlyList<OciException> failures) : OciException(
        $"{failures.Count} errors occurred:\n{string.Join('\n', failures.Select(failure => $"\t* {failure.Message}"))}")
    {
        /// <inheritdoc/>
        public override int ExitCode { get; } = failures.Max(failure => failure.ExitCode);
    }
}
