namespace OciTool.Cli.Output.Templates;

/// <summary>A part of a template.</summary>
internal abstract record Node(int Position);

/// <summary>Text that is printed as it is.</summary>
internal sealed record TextNode(int Position, string Text) : Node(Position);

/// <summary>A pipeline whose value is printed, unless it sets variables.</summary>
internal sealed record ActionNode(int Position, Pipeline Pipeline) : Node(Position);

/// <summary><c>if</c>, <c>with</c> or <c>range</c>.</summary>
internal sealed record BranchNode(int Position, string Keyword, Pipeline Pipeline, IReadOnlyList<Node> Then, IReadOnlyList<Node> Else)
    : Node(Position);

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record JumpNode(int Position, bool Breaks) : Node(Position);

/// <summary>Something that has a value.</summary>
/// <param name="Position">Where an error of it is said to be.</param>
/// <param name="Source">Its text, for error messages.</param>
internal abstract record Operand(int Position, string Source);

/// <summary>Commands, each of which gets the value of the one before as its last argument.</summary>
internal sealed record Pipeline(
    int Position, string Source, IReadOnlyList<string> Variables, bool Declares, IReadOnlyList<IReadOnlyList<Operand>> Commands)
    : Operand(Position, Source);

/// <summary>A constant.</summary>
internal sealed record Literal(int Position, string Source, TemplateValue Value) : Operand(Position, Source);

/// <summary>The dot, and fields of it.</summary>
internal sealed record DotFields(int Position, string Source, IReadOnlyList<string> Fields) : Operand(Position, Source);

/// <summary>A variable, and fields of it.</summary>
internal sealed record VariableFields(int Position, string Source, string Name, IReadOnlyList<string> Fields) : Operand(Position, Source);

/// <summary>Fields of the value of something in parentheses.</summary>
internal sealed record Chain(int Position, string Source, Operand Inner, IReadOnlyList<string> Fields) : Operand(Position, Source);

/// <summary>A function.</summary>
internal sealed record FunctionName(int Position, string Name) : Operand(Position, Name);
