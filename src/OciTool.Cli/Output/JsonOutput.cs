using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OciTool.Cli.Output.Templates;

namespace OciTool.Cli.Output;

/// <summary>How a verb lays its JSON out: podman's verbs differ, and scripts compare their output.</summary>
/// <param name="Indent">Blanks for each level; 0 for everything on one line.</param>
/// <param name="EscapesHtml">Whether <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c> are escaped.</param>
internal sealed record JsonLayout(int Indent, bool EscapesHtml)
{
    /// <summary>Of <c>inspect</c>.</summary>
    public static readonly JsonLayout Inspect = new(5, EscapesHtml: false);

    /// <summary>Of <c>images</c>.</summary>
    public static readonly JsonLayout Images = new(4, EscapesHtml: true);

    /// <summary>Of <c>ps</c> and <c>info</c>.</summary>
    public static readonly JsonLayout Containers = new(2, EscapesHtml: true);

    /// <summary>Of <c>image mount</c>.</summary>
    public static readonly JsonLayout Mounts = new(1, EscapesHtml: true);

    /// <summary>Of <c>version</c>: one line.</summary>
    public static readonly JsonLayout Line = new(0, EscapesHtml: true);
}

/// <summary>Prints JSON documents.</summary>
internal static class JsonOutput
{
    /// <summary>Prints a document and a line end.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="value">The document.</param>
    /// <param name="type">Its source-generated metadata.</param>
    /// <param name="layout">Its layout.</param>
    /// <typeparam name="T">Its type.</typeparam>
    public static void Write<T>(TextWriter output, T value, JsonTypeInfo<T> type, JsonLayout layout)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, WriterOptions(layout.Indent)))
        {
            JsonSerializer.Serialize(json, value, type);
        }

        string text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        output.Write(EscapeActive(text, layout.EscapesHtml));
        output.Write('\n');
    }

    /// <summary>Prints an array of records of several kinds.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="elements">The records.</param>
    /// <param name="layout">Its layout.</param>
    public static void Write(TextWriter output, IReadOnlyList<TemplateValue> elements, JsonLayout layout)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, WriterOptions(layout.Indent)))
        {
            json.WriteStartArray();
            foreach (TemplateValue element in elements)
            {
                element.WriteJson(json);
            }

            json.WriteEndArray();
        }

        string text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        output.Write(EscapeActive(text, layout.EscapesHtml));
        output.Write('\n');
    }

    /// <summary>Options of a writer whose text <see cref="EscapeActive"/> makes safe.</summary>
    /// <param name="indent">Blanks for each level; 0 for one line.</param>
    internal static JsonWriterOptions WriterOptions(int indent) => new()
    {
        Indented = indent > 0,
        IndentSize = Math.Max(indent, 1),
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Escapes, in a document, what a terminal or a browser would act on.</summary>
    /// <param name="document">JSON; outside of strings it holds none of these characters.</param>
    /// <param name="html">Whether the three characters of HTML are escaped, too.</param>
    internal static string EscapeActive(string document, bool html)
    {
        StringBuilder? escaped = null;
        int copied = 0;
        for (int i = 0; i < document.Length; i++)
        {
            char c = document[i];
            bool active = c is >= '\x7f' and < '\xa0' or '\u061c' or (>= '\u200e' and <= '\u200f')
                or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069')
                || (html && c is ('<' or '>' or '&'));
            if (active)
            {
                escaped ??= new StringBuilder(document.Length + 64);
                escaped.Append(document, copied, i - copied).Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                copied = i + 1;
            }
        }

        return escaped?.Append(document, copied, document.Length - copied).ToString() ?? document;
    }
}
