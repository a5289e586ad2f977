using System.CommandLine;

namespace OciTool.Cli;

/// <summary>One verb of the command line: its options and arguments are fields, its work is its action.</summary>
internal abstract class Verb : Command
{
    /// <summary>Creates a verb.</summary>
    /// <param name="name">How it is called.</param>
    /// <param name="summary">One line for lists of verbs, without a full stop.</param>
    protected Verb(string name, string summary)
        : base(name, summary) => Path = $"oci {name}";

    /// <summary>The words that lead to it, for example <c>oci image exists</c>; set when the verb is looked up.</summary>
    public string Path { get; set; }

    /// <summary>What the verb does, in sentences; paragraphs are separated by an empty line.</summary>
    public string? Details { get; init; }

    /// <summary>The positional arguments as the usage line shows them, for example <c>IMAGE [IMAGE...]</c>.</summary>
    public string Operands { get; init; } = "";

    /// <summary>Whole command lines without the program's name, for example <c>pull fedora:latest</c>.</summary>
    public IReadOnlyList<string> Examples { get; init; } = [];

    /// <summary>What the first positional argument names, for completion.</summary>
    public OperandKind OperandKind { get; init; }

    /// <summary>Whether the first positional argument ends the verb's own options: they belong to the container.</summary>
    public bool OptionsEndAtOperand { get; init; }

    /// <summary>Whether the verb handles signals itself; else SIGINT and SIGTERM cancel its asynchronous action.</summary>
    public bool OwnsSignals { get; init; }

    /// <summary>Whether every word behind the verb's name is an operand, dashes or not.</summary>
    public bool ReadsRawWords { get; init; }

    /// <summary>The fields that <c>--format</c> offers for completion, for example <c>Repository</c>.</summary>
    public IReadOnlyList<string> TemplateFields { get; init; } = [];

    /// <summary>The options that every verb takes, before or after its name.</summary>
    public GlobalOptions Global { get; set; } = new();
}

/// <summary>What a positional argument names.</summary>
internal enum OperandKind
{
    /// <summary>Nothing that could be completed.</summary>
    None,

    /// <summary>An image of the store.</summary>
    Image,

    /// <summary>A container.</summary>
    Container,

    /// <summary>An image or a container.</summary>
    Object,

    /// <summary>A file.</summary>
    File,
}
