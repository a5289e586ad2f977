using System.Text;
using OciTool.Images;

namespace OciTool.Cli.Output;

/// <summary>Prints documents that came from a registry: byte for byte, except where a terminal would act on them.</summary>
internal static class ForeignText
{
    /// <summary>Prints a document as it is; on a terminal with its control characters escaped.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="document">Any bytes.</param>
    public static void WriteRaw(TextWriter output, ReadOnlySpan<byte> document)
    {
        if (output is not StreamWriter { BaseStream: StandardOutput stream })
        {
            output.Write(Encoding.UTF8.GetString(document));
            return;
        }

        output.Flush();
        if (Console.IsOutputRedirected)
        {
            stream.Write(document);
        }
        else
        {
            output.Write(EscapeLines(Encoding.UTF8.GetString(document)));
        }
    }

    /// <summary>Prints what a template made of such documents.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="text">The text.</param>
    public static void Write(TextWriter output, string text) =>
        output.Write(output is StreamWriter { BaseStream: StandardOutput } && Console.IsOutputRedirected ? text : EscapeLines(text));

    private static string EscapeLines(string text)
    {
        StringBuilder escaped = new(text.Length);
        int from = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || text[i] is '\n' or '\t')
            {
                escaped.Append(Printable.Escape(text.AsSpan(from, i - from))).Append(text.AsSpan(i, i < text.Length ? 1 : 0));
                from = i + 1;
            }
        }

        return escaped.ToString();
    }
}
