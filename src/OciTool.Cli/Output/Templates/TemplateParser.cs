using System.Globalization;

namespace OciTool.Cli.Output.Templates;

/// <summary>Reads a template into nodes, with the messages that Go has for what is wrong.</summary>
internal sealed class TemplateParser
{
    private readonly TemplateLexer _lexer;
    private readonly string _text;
    private readonly List<Token> _tokens;
    private readonly List<string> _variables = ["$"];
    private int _next;
    private int _rangeDepth;

    private TemplateParser(string name, string text)
    {
        _text = text;
        _lexer = new TemplateLexer(name, text);
        _tokens = _lexer.Run();
    }

    private Token Current => _tokens[_next];

    /// <summary>Parses a template.</summary>
    /// <param name="name">Its name, which error messages begin with.</param>
    /// <param name="text">The template.</param>
    /// <exception cref="TemplateException">It is not a template.</exception>
    public static IReadOnlyList<Node> Parse(string name, string text)
    {
        TemplateParser parser = new(name, text);
        (List<Node> nodes, Token? end) = parser.ParseList();
        return end is { } stray ? throw parser.Failure(stray, $"unexpected {{{{{stray.Text}}}}}") : nodes;
    }

    private TemplateException Failure(Token token, string what) => _lexer.Failure(token.Position, what);

    private TemplateException Unexpected(Token token, string context) =>
        token.Kind == TokenKind.End
            ? Failure(token, "unexpected EOF")
            : Failure(token, $"unexpected {Quoted(token)} in {context}");

    private static string Quoted(Token token) => token.Kind is TokenKind.String && token.Source.Length > 0 && token.Source[0] == '"'
        ? $"\"{token.Source.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
        : token.Kind == TokenKind.Word && IsKeyword(token.Text) ? $"<{token.Text}>" : $"\"{token.Source}\"";

    private static bool IsKeyword(string word) => word is "if" or "else" or "end" or "range" or "with" or "break" or "continue";

    // up to the end of the template, or to {{end}} or {{else}}, whose keyword is returned and consumed
    private (List<Node> Nodes, Token? End) ParseList()
    {
        List<Node> nodes = [];
        while (true)
        {
            Token token = _tokens[_next++];
            switch (token.Kind)
            {
                case TokenKind.End:
                    return (nodes, null);
                case TokenKind.Text:
                    nodes.Add(new TextNode(token.Position, token.Text));
                    continue;
            }

            Token first = Current;
            if (first is { Kind: TokenKind.Word, Text: "end" or "else" })
            {
                _next++;
                if (first.Text == "end")
                {
                    Expect(TokenKind.Close, "end");
                }

                return (nodes, first);
            }

            nodes.Add(ParseAction(first));
        }
    }

    private Node ParseAction(Token first)
    {
        if (first.Kind == TokenKind.Word)
        {
            switch (first.Text)
            {
                case "if" or "with" or "range":
                    _next++;
                    return ParseBranch(first);
                case "break" or "continue":
                    _next++;
                    if (_rangeDepth == 0)
                    {
                        throw Failure(first, $"{{{{{first.Text}}}}} outside {{{{range}}}}");
                    }

                    Expect(TokenKind.Close, $"{{{{{first.Text}}}}}");
                    return new JumpNode(first.Position, first.Text == "break");
                case "define" or "template" or "block":
                    throw Failure(first, $"{first.Text} is not supported");
            }
        }

        ActionNode action = new(first.Position, ParsePipeline("command"));
        Expect(TokenKind.Close, "command");
        return action;
    }

    private BranchNode ParseBranch(Token keyword)
    {
        int scope = _variables.Count;
        Pipeline pipeline = ParsePipeline(keyword.Text);
        Expect(TokenKind.Close, keyword.Text);
        _rangeDepth += keyword.Text == "range" ? 1 : 0;
        (List<Node> then, Token? end) = ParseList();
        _rangeDepth -= keyword.Text == "range" ? 1 : 0;
        List<Node> otherwise = [];
        if (end is { Text: "else" })
        {
            if (keyword.Text != "range" && Current is { Kind: TokenKind.Word, Text: "if" or "with" } chained && chained.Text == keyword.Text)
            {
                _next++;
                // the {{end}} of the inner branch ends this one, too
                otherwise.Add(ParseBranch(chained));
                _variables.RemoveRange(scope, _variables.Count - scope);
                return new BranchNode(keyword.Position, keyword.Text, pipeline, then, otherwise);
            }

            Expect(TokenKind.Close, "else");
            (otherwise, end) = ParseList();
            if (end is { Text: "else" } second)
            {
                throw Failure(second, "expected end; found {{else}}");
            }
        }

        if (end is null)
        {
            throw Failure(_tokens[^1], "unexpected EOF");
        }

        _variables.RemoveRange(scope, _variables.Count - scope);
        return new BranchNode(keyword.Position, keyword.Text, pipeline, then, otherwise);
    }

    private void Expect(TokenKind kind, string context)
    {
        Token token = _tokens[_next++];
        if (token.Kind != kind)
        {
            throw Unexpected(token, context);
        }
    }

    private Pipeline ParsePipeline(string context)
    {
        int start = Current.Position;
        (List<string> variables, bool declares) = ParseDeclaration(context);
        List<IReadOnlyList<Operand>> commands = [];
        while (true)
        {
            Token token = Current;
            if (token.Kind == TokenKind.Close || token is { Kind: TokenKind.Mark, Text: ")" })
            {
                break;
            }

            commands.Add(ParseCommand(context));
            if (Current is { Kind: TokenKind.Mark, Text: "|" })
            {
                _next++;
                if (Current.Kind == TokenKind.Close || Current is { Kind: TokenKind.Mark, Text: ")" })
                {
                    throw Failure(Current, $"missing value for {context}");
                }
            }
        }

        if (commands.Count == 0)
        {
            throw Failure(Current, $"missing value for {context}");
        }

        for (int i = 1; i < commands.Count; i++)
        {
            if (commands[i][0] is Literal literal)
            {
                throw _lexer.Failure(literal.Position, $"non executable command in pipeline stage {i + 1}");
            }
        }

        _variables.AddRange(declares ? variables : []);
        return new Pipeline(start, _text[start..Current.Position].Trim(), variables, declares, commands);
    }

    private (List<string> Variables, bool Declares) ParseDeclaration(string context)
    {
        int start = _next;
        List<string> variables = [];
        while (Current.Kind == TokenKind.Variable)
        {
            variables.Add(_tokens[_next++].Text);
            Token mark = Current;
            if (mark is { Kind: TokenKind.Mark, Text: ":=" or "=" })
            {
                _next++;
                return variables.Count == 2 && context != "range"
                    ? throw Failure(mark, $"too many declarations in {context}")
                    : (variables, mark.Text == ":=");
            }

            if (mark is not { Kind: TokenKind.Mark, Text: "," } || context != "range" || variables.Count == 2)
            {
                break;
            }

            _next++;
        }

        _next = start; // it was a value
        return ([], false);
    }

    private List<Operand> ParseCommand(string context)
    {
        List<Operand> operands = [];
        while (Current.Kind is not TokenKind.Close && Current is not { Kind: TokenKind.Mark, Text: ")" or "|" })
        {
            Token token = Current;
            if (operands.Count > 0 && !token.SpaceBefore && token is not { Kind: TokenKind.Mark, Text: "(" })
            {
                throw Unexpected(token, "operand");
            }

            operands.Add(ParseOperand(context));
        }

        return operands.Count > 0 ? operands : throw Failure(Current, "empty command");
    }

    private Operand ParseOperand(string context)
    {
        Token token = _tokens[_next++];
        switch (token.Kind)
        {
            case TokenKind.Dot:
                return ParseFields(new DotFields(token.Position, ".", []));
            case TokenKind.Field:
                return ParseFields(new DotFields(token.Position, token.Source, [token.Text[1..]]));
            case TokenKind.Variable:
                return _variables.Contains(token.Text)
                    ? ParseFields(new VariableFields(token.Position, token.Source, token.Text, []))
                    : throw Failure(token, $"undefined variable \"{token.Text}\"");
            case TokenKind.String:
                return new Literal(token.Position, token.Source, TemplateValue.Of(token.Text));
            case TokenKind.Number:
                return new Literal(token.Position, token.Source, ParseNumber(token));
            case TokenKind.Word:
                return token.Text switch
                {
                    "true" or "false" => new Literal(token.Position, token.Text, TemplateValue.Of(token.Text == "true")),
                    "nil" => new Literal(token.Position, token.Text, NilValue.Instance),
                    _ when IsKeyword(token.Text) => throw Unexpected(token, context),
                    _ => TemplateFunctions.Exists(token.Text)
                        ? new FunctionName(token.Position, token.Text)
                        : throw Failure(token, $"function \"{token.Text}\" not defined"),
                };
            case TokenKind.Mark when token.Text == "(":
                Pipeline inner = ParsePipeline("parenthesized pipeline");
                Token close = _tokens[_next++];
                return close is { Kind: TokenKind.Mark, Text: ")" }
                    ? ParseFields(inner)
                    : throw Unexpected(close, "parenthesized pipeline");
            default:
                throw Unexpected(token, "operand");
        }
    }

    // Go puts an error of .A.B at the second dot
    private Operand ParseFields(Operand operand)
    {
        if (Current is not { Kind: TokenKind.Field, SpaceBefore: false })
        {
            return operand;
        }

        int position = Current.Position;
        List<string> fields = [];
        string source = operand is Pipeline ? $"({operand.Source})" : operand.Source == "." ? "" : operand.Source;
        while (Current is { Kind: TokenKind.Field, SpaceBefore: false })
        {
            Token field = _tokens[_next++];
            fields.Add(field.Text[1..]);
            source += field.Text;
        }

        return operand switch
        {
            DotFields dot => new DotFields(position, source, [.. dot.Fields, .. fields]),
            VariableFields variable => new VariableFields(position, source, variable.Name, fields),
            _ => new Chain(position, source, operand, fields),
        };
    }

    private TemplateValue ParseNumber(Token token)
    {
        string digits = token.Text.Replace("_", "", StringComparison.Ordinal);
        return digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && long.TryParse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out long hex) ? new IntegerValue(hex)
            : long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer) ? new IntegerValue(integer)
            : double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? new FloatValue(number)
            : throw Failure(token, $"bad number syntax: \"{token.Text}\"");
    }
}
