using System.Text;

namespace OciTool.Cli.Output.Templates;

/// <summary>What <c>--format</c> makes of a template: one row for each element, and a table where it asks for one.</summary>
internal sealed class RowFormat
{
    private readonly GoTemplate _rows;
    private readonly GoTemplate? _header;

    private RowFormat(GoTemplate rows, GoTemplate? header)
    {
        _rows = rows;
        _header = header;
    }

    /// <summary>Parses the option's value.</summary>
    /// <param name="name">The verb's name, which error messages begin with.</param>
    /// <param name="format">A template; behind <c>table </c> the rows become a table with a header.</param>
    /// <exception cref="TemplateException">It is not a template.</exception>
    public static RowFormat Parse(string name, string format)
    {
        bool table = format.StartsWith("table ", StringComparison.Ordinal);
        string row = Unescape(table ? format["table ".Length..] : format, table);
        // the line end is an action, and the wrapping is podman's: so lines and columns of error messages agree with its
        row = row.EndsWith('\n') ? row : $$$"""{{{row}}}{{"\n"}}""";
        return new RowFormat(
            GoTemplate.Parse(name, $"{{{{range .}}}}{row}{{{{end -}}}}"),
            table ? GoTemplate.Parse(name, row) : null);
    }

    /// <summary>Prints the rows.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="elements">What the rows are about.</param>
    /// <param name="headings">The headings of fields whose heading is not their name in capitals.</param>
    /// <param name="noHeading">Whether a table has no header.</param>
    /// <exception cref="TemplateException">The template does not fit the data.</exception>
    public void Write(
        TextWriter output,
        IReadOnlyList<TemplateValue> elements,
        IReadOnlyDictionary<string, string>? headings = null,
        bool noHeading = false)
    {
        if (_header is null)
        {
            _rows.Execute(output, new ListValue(elements));
            return;
        }

        using StringWriter text = new();
        if (!noHeading)
        {
            _header.Execute(text, new HeadingValue("", headings ?? new Dictionary<string, string>()));
        }

        _rows.Execute(text, new ListValue(elements));
        Table table = new();
        foreach (string line in text.ToString().TrimEnd('\n').Split('\n'))
        {
            table.Add(line.Split('\t'));
        }

        table.Write(output);
    }

    /// <summary>Prints one value by a template that is not about rows, and a line end.</summary>
    /// <param name="name">The verb's name.</param>
    /// <param name="format">The template.</param>
    /// <param name="output">Where to.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="TemplateException">It is not a template, or it does not fit the value.</exception>
    public static void WriteOne(string name, string format, TextWriter output, TemplateValue value)
    {
        string text = Unescape(format, table: false);
        GoTemplate.Parse(name, text.EndsWith('\n') ? text : $"{text}\n").Execute(output, value);
    }

    // in text outside of actions \t and \n are escapes, and a table's columns are parted by blanks
    private static string Unescape(string format, bool table)
    {
        StringBuilder text = new(format.Length);
        bool inAction = false;
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            char next = i + 1 < format.Length ? format[i + 1] : '\0';
            inAction = (c, next) switch
            {
                ('{', '{') => true,
                ('}', '}') => false,
                _ => inAction,
            };
            if (inAction)
            {
                text.Append(c);
            }
            else if (c == '\\' && next is 't' or 'n')
            {
                text.Append(next == 't' ? '\t' : '\n');
                i++;
            }
            else
            {
                text.Append(table && c == ' ' ? '\t' : c);
            }
        }

        return text.ToString();
    }

    // in the header each field prints its heading
    private sealed class HeadingValue(string name, IReadOnlyDictionary<string, string> headings) : TemplateValue
    {
        public override bool IsTrue => true;

        public override string TypeName => "string";

        public override TemplateValue Field(string name) => new HeadingValue(name, headings);

        public override void Print(StringBuilder text)
        {
            if (headings.TryGetValue(name, out string? heading))
            {
                text.Append(heading);
                return;
            }

            for (int i = 0; i < name.Length; i++)
            {
                bool word = i > 0 && char.IsUpper(name[i]) && char.IsLower(name[i - 1]);
                _ = word ? text.Append(' ') : text;
                text.Append(char.ToUpperInvariant(name[i]));
            }
        }

        public override void WriteJson(System.Text.Json.Utf8JsonWriter json) => json.WriteStringValue(ToString());
    }
}
