using System.Text;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Several places were asked for one thing, and none delivered: each with its own reason.</summary>
/// <remarks>The message has a line for each place, indented, behind the first one.</remarks>
public sealed class EndpointsException : OciException
{
    /// <summary>Creates the failure.</summary>
    /// <param name="wanted">What was asked for.</param>
    /// <param name="failures">Who was asked, and why nothing came of it, in the order of asking.</param>
    public EndpointsException(string wanted, IReadOnlyList<(string Endpoint, OciException Failure)> failures)
        : base(Tabulate(wanted, failures ?? throw new ArgumentNullException(nameof(failures))), failures[^1].Failure)
    {
        Hint = failures.Select(failure => failure.Failure.Hint).LastOrDefault(hint => hint is not null);
    }

    private static string Tabulate(string wanted, IReadOnlyList<(string Endpoint, OciException Failure)> failures)
    {
        StringBuilder table = new($"cannot pull {wanted}:");
        foreach ((string endpoint, OciException failure) in failures)
        {
            table.Append("\n  ").Append(endpoint).Append(": ").Append(failure.Message.Replace("\n", "\n  ", StringComparison.Ordinal));
        }

        return table.ToString();
    }
}
