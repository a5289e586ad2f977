using System.Globalization;
using System.Text;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Asks at the terminal which of several images is meant.</summary>
internal static class ImageChoice
{
    /// <summary>Whether there is somebody to ask: podman's rule, standard input and output are a terminal.</summary>
    public static bool IsPossible => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    /// <summary>Shows the images and reads a number; an empty line is the first one.</summary>
    /// <param name="candidates">The images.</param>
    /// <param name="error">Where they are shown.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OciException">Nothing was chosen.</exception>
    public static Reference Ask(IReadOnlyList<Reference> candidates, TextWriter error, CancellationToken cancellationToken)
    {
        // the raw stream: Console's reader would change the terminal, which a container may be about to get
        using Stream input = Console.OpenStandardInput();
        while (true)
        {
            error.Write("Please select an image:\n");
            for (int i = 0; i < candidates.Count; i++)
            {
                error.Write($"  {i + 1}) {candidates[i]}\n");
            }

            error.Write("Number [1]: ");
            string? answer = Task.Run(() => ReadLine(input), CancellationToken.None).WaitAsync(cancellationToken).GetAwaiter().GetResult();
            if (answer is null)
            {
                throw new OciException("no image was selected");
            }

            if (answer.Length == 0)
            {
                return candidates[0];
            }

            if (int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= candidates.Count)
            {
                return candidates[number - 1];
            }
        }
    }

    private static string? ReadLine(Stream input)
    {
        StringBuilder line = new();
        int next;
        while ((next = input.ReadByte()) is not (-1 or '\n'))
        {
            line.Append((char)next);
        }

        return next < 0 && line.Length == 0 ? null : line.ToString().Trim();
    }
}
