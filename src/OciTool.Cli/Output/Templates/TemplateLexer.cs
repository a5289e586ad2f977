using System.Text;

namespace OciTool.Cli.Output.Templates;

/// <summary>What a token of a template is.</summary>
internal enum TokenKind
{
    /// <summary>Text outside of actions.</summary>
    Text,

    /// <summary>The beginning of an action.</summary>
    Open,

    /// <summary>The end of an action.</summary>
    Close,

    /// <summary>A field, with its dot.</summary>
    Field,

    /// <summary>A variable, with its dollar sign.</summary>
    Variable,

    /// <summary>A function or a keyword.</summary>
    Word,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A string, already without quotes and escapes.</summary>
    String,

    /// <summary>A single dot.</summary>
    Dot,

    /// <summary>A mark: <c>|</c>, <c>(</c>, <c>)</c>, <c>,</c>, <c>=</c> or <c>:=</c>.</summary>
    Mark,

    /// <summary>The end of the template.</summary>
    End,
}

/// <summary>A token of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; for a string its value.</param>
/// <param name="Position">Where it begins.</param>
/// <param name="SpaceBefore">Whether white space stands before it.</param>
/// <param name="Source">Its text as it stands in the template.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Position, bool SpaceBefore, string Source);

/// <summary>Cuts a template into tokens by the rules of Go's text/template.</summary>
internal sealed class TemplateLexer(string name, string text)
{
    private const string Blanks = " \t\r\n";
    private readonly List<Token> _tokens = [];
    private int _at;

    /// <summary>All tokens; the last one is <see cref="TokenKind.End"/>.</summary>
    /// <exception cref="TemplateException">The template has a character or an end where none may be.</exception>
    public List<Token> Run()
    {
        bool trim = false;
        while (true)
        {
            int open = text.IndexOf("{{", _at, StringComparison.Ordinal);
            string literal = open < 0 ? text[_at..] : text[_at..open];
            literal = trim ? literal.TrimStart(' ', '\t', '\r', '\n') : literal;
            bool trimBefore = open >= 0 && IsTrimMark(open + 2);
            literal = trimBefore ? literal.TrimEnd(' ', '\t', '\r', '\n') : literal;
            if (literal.Length > 0)
            {
                _tokens.Add(new Token(TokenKind.Text, literal, _at, false, literal));
            }

            if (open < 0)
            {
                _tokens.Add(new Token(TokenKind.End, "", text.Length, false, "EOF"));
                return _tokens;
            }

            _at = open + (trimBefore ? 4 : 2);
            trim = text.AsSpan(_at).StartsWith("/*", StringComparison.Ordinal) ? SkipComment() : ReadAction(open);
        }
    }

    /// <summary>The failure of a place of the template, as Go words it before execution.</summary>
    /// <param name="position">Where.</param>
    /// <param name="what">What is wrong.</param>
    public TemplateException Failure(int position, string what) => new($"template: {name}:{LineOf(position)}: {what}");

    private static bool IsLetter(char c) => c == '_' || char.IsLetterOrDigit(c);

    private int LineOf(int position) => 1 + text.AsSpan(0, Math.Min(position, text.Length)).Count('\n');

    private bool IsTrimMark(int at) => at + 1 < text.Length && text[at] == '-' && Blanks.Contains(text[at + 1], StringComparison.Ordinal);

    private bool SkipComment()
    {
        int end = text.IndexOf("*/", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Failure(_at, "unclosed comment");
        }

        _at = end + 2;
        bool trim = _at + 1 < text.Length && Blanks.Contains(text[_at], StringComparison.Ordinal) && text[_at + 1] == '-';
        _at += trim ? 2 : 0;
        if (!text.AsSpan(_at).StartsWith("}}", StringComparison.Ordinal))
        {
            throw Failure(_at, "comment ends before closing delimiter");
        }

        _at += 2;
        return trim;
    }

    // returns whether the action ends in a trim mark
    private bool ReadAction(int open)
    {
        _tokens.Add(new Token(TokenKind.Open, "{{", open, false, "{{"));
        int depth = 0;
        while (true)
        {
            int before = _at;
            while (_at < text.Length && Blanks.Contains(text[_at], StringComparison.Ordinal))
            {
                _at++;
            }

            bool space = _at > before;
            ReadOnlySpan<char> rest = text.AsSpan(_at);
            bool trim = space && rest.StartsWith("-}}", StringComparison.Ordinal);
            if (trim || rest.StartsWith("}}", StringComparison.Ordinal))
            {
                if (depth > 0)
                {
                    throw Failure(_at, "unclosed left paren");
                }

                _tokens.Add(new Token(TokenKind.Close, "}}", _at, space, "}}"));
                _at += trim ? 3 : 2;
                return trim;
            }

            if (rest.IsEmpty)
            {
                throw Failure(_at, "unclosed action");
            }

            int start = _at;
            (TokenKind kind, string value) = ReadToken(ref depth);
            _tokens.Add(new Token(kind, value, start, space, text[start.._at]));
        }
    }

    private (TokenKind Kind, string Value) ReadToken(ref int depth)
    {
        char c = text[_at];
        char next = _at + 1 < text.Length ? text[_at + 1] : '\0';
        switch (c)
        {
            case '"':
                return (TokenKind.String, ReadQuoted());
            case '`':
                int end = text.IndexOf('`', _at + 1);
                string raw = end < 0 ? throw Failure(_at, "unterminated raw quoted string") : text[(_at + 1)..end];
                _at = end + 1;
                return (TokenKind.String, raw);
            case '|' or ',' or '=':
                return (TokenKind.Mark, text[_at++].ToString());
            case '(':
                depth++;
                return (TokenKind.Mark, text[_at++].ToString());
            case ')':
                return --depth < 0 ? throw Failure(_at, "unexpected right paren") : (TokenKind.Mark, text[_at++].ToString());
            case ':' when next == '=':
                _at += 2;
                return (TokenKind.Mark, ":=");
            case ':':
                throw Failure(_at, "expected :=");
            case '.' when IsLetter(next) && !char.IsAsciiDigit(next):
                return (TokenKind.Field, Take(1));
            case '.' when !char.IsAsciiDigit(next):
                _at++;
                return (TokenKind.Dot, ".");
            case '$':
                return (TokenKind.Variable, Take(1));
            case '.' or '-' or '+' when char.IsAsciiDigit(next):
                return (TokenKind.Number, ReadNumber());
            default:
                return char.IsAsciiDigit(c) ? (TokenKind.Number, ReadNumber())
                    : IsLetter(c) ? (TokenKind.Word, Take(0))
                    : c is > ' ' and < '\x7f' ? (TokenKind.Mark, text[_at++].ToString())
                    : throw Failure(_at, $"unrecognized character in action: U+{(int)c:X4} '{c}'");
        }
    }

    private string ReadNumber()
    {
        int start = _at++;
        while (_at < text.Length && (IsLetter(text[_at]) || text[_at] == '.'))
        {
            _at++;
        }

        return text[start.._at];
    }

    // Go checks what follows a name at once, and calls it a bad character
    private string Take(int prefix)
    {
        int start = _at;
        _at += prefix;
        while (_at < text.Length && IsLetter(text[_at]))
        {
            _at++;
        }

        if (_at < text.Length && !" \t\r\n.,|:()=".Contains(text[_at], StringComparison.Ordinal)
            && !text.AsSpan(_at).StartsWith("}}", StringComparison.Ordinal))
        {
            throw Failure(_at, $"bad character U+{(int)text[_at]:X4} '{text[_at]}'");
        }

        return text[start.._at];
    }

    private string ReadQuoted()
    {
        int start = _at++;
        StringBuilder value = new();
        while (true)
        {
            if (_at >= text.Length || text[_at] == '\n')
            {
                throw Failure(start, "unterminated quoted string");
            }

            char c = text[_at++];
            if (c == '"')
            {
                return value.ToString();
            }

            value.Append(c == '\\' ? ReadEscape(start) : c);
        }
    }

    private char ReadEscape(int start)
    {
        char c = _at < text.Length ? text[_at++] : throw Failure(start, "unterminated quoted string");
        int digits = c switch
        {
            'x' => 2,
            'u' => 4,
            _ => 0,
        };
        if (digits > 0 && _at + digits <= text.Length
            && ushort.TryParse(text.AsSpan(_at, digits), System.Globalization.NumberStyles.HexNumber, null, out ushort code))
        {
            _at += digits;
            return (char)code;
        }

        return c switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'v' => '\v',
            '\\' or '"' => c,
            _ => throw Failure(start, "invalid syntax"),
        };
    }
}
