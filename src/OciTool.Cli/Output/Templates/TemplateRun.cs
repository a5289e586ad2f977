using System.Globalization;

namespace OciTool.Cli.Output.Templates;

/// <summary>One execution of a template.</summary>
internal sealed class TemplateRun
{
    private readonly string _name;
    private readonly string _text;
    private readonly TextWriter _output;
    private readonly List<(string Name, TemplateValue Value)> _variables;
    private TemplateValue _dot;

    /// <summary>Prepares an execution.</summary>
    /// <param name="name">The template's name.</param>
    /// <param name="text">Its text, to find lines and columns in.</param>
    /// <param name="output">Where to print.</param>
    /// <param name="data">The dot.</param>
    public TemplateRun(string name, string text, TextWriter output, TemplateValue data)
    {
        _name = name;
        _text = text;
        _output = output;
        _dot = data;
        _variables = [("$", data)];
    }

    private enum Flow
    {
        Next,
        Continue,
        Break,
    }

    /// <summary>Executes nodes.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <exception cref="TemplateException">The template does not fit the data.</exception>
    public void Walk(IReadOnlyList<Node> nodes) => WalkList(nodes);

    private Flow WalkList(IReadOnlyList<Node> nodes)
    {
        foreach (Node node in nodes)
        {
            switch (node)
            {
                case TextNode literal:
                    _output.Write(literal.Text);
                    break;
                case ActionNode action:
                    TemplateValue value = Evaluate(action.Pipeline);
                    if (action.Pipeline.Variables.Count == 0)
                    {
                        _output.Write(value is NilValue ? "<no value>" : value.ToString());
                    }

                    break;
                case JumpNode jump:
                    return jump.Breaks ? Flow.Break : Flow.Continue;
                case BranchNode branch:
                    int scope = _variables.Count;
                    Flow flow = branch.Keyword == "range" ? WalkRange(branch) : WalkBranch(branch);
                    _variables.RemoveRange(scope, _variables.Count - scope);
                    if (flow != Flow.Next)
                    {
                        return flow;
                    }

                    break;
            }
        }

        return Flow.Next;
    }

    private Flow WalkBranch(BranchNode branch)
    {
        TemplateValue value = Evaluate(branch.Pipeline);
        if (!value.IsTrue)
        {
            return WalkList(branch.Else);
        }

        TemplateValue dot = _dot;
        _dot = branch.Keyword == "with" ? value : dot;
        Flow flow = WalkList(branch.Then);
        _dot = dot;
        return flow;
    }

    private Flow WalkRange(BranchNode branch)
    {
        TemplateValue value = Evaluate(branch.Pipeline, assign: false);
        IEnumerable<(TemplateValue Key, TemplateValue Element)> elements = value switch
        {
            ListValue list => list.Items.Select((item, i) => (TemplateValue.Of((long)i), item)),
            MapValue map => map.Entries.Select(entry => (TemplateValue.Of(entry.Key), entry.Value)),
            IntegerValue { Value: var count } => Enumerable.Range(0, (int)Math.Clamp(count, 0, 1 << 20))
                .Select(i => (TemplateValue.Of((long)i), TemplateValue.Of((long)i))),
            NilValue => [],
            _ => throw Failure(branch.Pipeline, $"range can't iterate over {value}"),
        };

        TemplateValue dot = _dot;
        bool any = false;
        foreach ((TemplateValue key, TemplateValue element) in elements)
        {
            any = true;
            int scope = _variables.Count;
            IReadOnlyList<string> names = branch.Pipeline.Variables;
            for (int i = 0; i < names.Count; i++)
            {
                // the last variable is the element, one before it the key
                SetVariable(names[i], i == names.Count - 1 ? element : key, branch.Pipeline.Declares);
            }

            _dot = element;
            Flow flow = WalkList(branch.Then);
            _variables.RemoveRange(scope, _variables.Count - scope);
            if (flow == Flow.Break)
            {
                break;
            }
        }

        _dot = dot;
        return any ? Flow.Next : WalkList(branch.Else);
    }

    private void SetVariable(string name, TemplateValue value, bool declare)
    {
        if (declare)
        {
            _variables.Add((name, value));
            return;
        }

        int position = _variables.FindLastIndex(variable => variable.Name == name);
        _variables[position] = (name, value);
    }

    private TemplateValue Evaluate(Pipeline pipeline, bool assign = true)
    {
        TemplateValue? value = null;
        foreach (IReadOnlyList<Operand> command in pipeline.Commands)
        {
            value = Evaluate(command, value);
        }

        if (assign && pipeline.Variables is [var name, ..])
        {
            SetVariable(name, value!, pipeline.Declares);
        }

        return value!;
    }

    private TemplateValue Evaluate(IReadOnlyList<Operand> command, TemplateValue? last)
    {
        if (command[0] is FunctionName function)
        {
            return Call(function, command, last);
        }

        return command.Count > 1 || last is not null
            ? throw Failure(command[0], $"can't give argument to non-function {command[0].Source}")
            : Evaluate(command[0]);
    }

    private TemplateValue Evaluate(Operand operand)
    {
        switch (operand)
        {
            case Literal literal:
                return literal.Value;
            case DotFields dot:
                return Descend(_dot, dot.Fields, operand);
            case VariableFields variable:
                return Descend(_variables.FindLast(entry => entry.Name == variable.Name).Value, variable.Fields, operand);
            case Chain chain:
                return Descend(Evaluate(chain.Inner), chain.Fields, operand);
            case Pipeline pipeline:
                return Evaluate(pipeline);
            case FunctionName function:
                return Call(function, [function], last: null);
            default:
                throw Failure(operand, $"can't evaluate {operand.Source}");
        }
    }

    private TemplateValue Descend(TemplateValue value, IReadOnlyList<string> fields, Operand operand)
    {
        foreach (string field in fields)
        {
            value = value is NilValue
                ? throw Failure(operand, $"nil pointer evaluating {value.TypeName}.{field}")
                : value.Field(field) ?? throw Failure(operand, $"can't evaluate field {field} in type {value.TypeName}");
        }

        return value;
    }

    private TemplateValue Call(FunctionName function, IReadOnlyList<Operand> command, TemplateValue? last)
    {
        // and, or: later arguments are looked at only when they matter
        if (function.Name is "and" or "or")
        {
            TemplateValue value = last ?? NilValue.Instance;
            for (int i = 1; i < command.Count; i++)
            {
                value = Evaluate(command[i]);
                if (value.IsTrue == (function.Name == "or"))
                {
                    return value;
                }
            }

            return command.Count == 1 && last is null
                ? throw Failure(function, $"wrong number of args for {function.Name}: want at least 1 got 0")
                : last ?? value;
        }

        List<TemplateValue> arguments = new(command.Count);
        for (int i = 1; i < command.Count; i++)
        {
            arguments.Add(Evaluate(command[i]));
        }

        if (last is not null)
        {
            arguments.Add(last);
        }

        try
        {
            return TemplateFunctions.Call(function.Name, arguments);
        }
        catch (TemplateFunctionException e)
        {
            bool called = e.Message.StartsWith("error calling", StringComparison.Ordinal);
            throw Failure(called ? function with { Source = SourceOf(command) } : function, e.Message);
        }
    }

    private static string SourceOf(IReadOnlyList<Operand> command) =>
        string.Join(' ', command.Select(operand => operand is Pipeline ? $"({operand.Source})" : operand.Source));

    private TemplateException Failure(Operand operand, string what)
    {
        ReadOnlySpan<char> before = _text.AsSpan(0, operand.Position);
        int column = operand.Position - (before.LastIndexOf('\n') + 1);
        string source = operand.Source.Length > 20 ? $"{operand.Source.AsSpan(0, 20)}..." : operand.Source;
        return new TemplateException(string.Create(
            CultureInfo.InvariantCulture,
            $"template: {_name}:{before.Count('\n') + 1}:{column}: executing \"{_name}\" at <{source}>: {what}"));
    }
}
