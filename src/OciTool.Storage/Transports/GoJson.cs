using System.Globalization;
using System.Text;

namespace OciTool.Storage.Transports;

/// <summary>Writes JSON byte for byte as Go's <c>encoding/json</c> does, for documents whose digest others compute, too.</summary>
internal static class GoJson
{
    /// <summary>A string in quotes; what is special in HTML is escaped.</summary>
    internal static string Quote(string text)
    {
        StringBuilder json = new(text.Length + 2);
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => json.Append('\\').Append(c),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029' => json.Append(Escape(c)),
                _ => json.Append(c),
            };
        }

        return json.Append('"').ToString();
    }

    /// <summary>What Go makes of a <c>json.RawMessage</c>: no white space, and what is special in HTML escaped; all else stays as it is written.</summary>
    /// <param name="raw">Valid JSON.</param>
    internal static string Compact(string raw)
    {
        StringBuilder json = new(raw.Length);
        bool inText = false;
        for (int i = 0; i < raw.Length; i++)
        {
            char c = raw[i];
            if (inText && c == '\\')
            {
                json.Append(c).Append(raw[++i]);
                continue;
            }

            inText ^= c == '"';
            _ = c switch
            {
                ' ' or '\t' or '\n' or '\r' when !inText => json,
                '<' or '>' or '&' or '\u2028' or '\u2029' => json.Append(Escape(c)),
                _ => json.Append(c),
            };
        }

        return json.ToString();
    }

    private static string Escape(char c) => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
}
