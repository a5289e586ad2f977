namespace OciTool.Cli.Output.Templates;

/// <summary>A template of Go's text/template, as <c>--format</c> takes it.</summary>
/// <remarks>
/// What podman's users type: fields, variables, pipelines, <c>if</c>, <c>with</c>, <c>range</c>, the built-in functions
/// and podman's own. Named templates (<c>define</c>) are not part of it.
/// </remarks>
internal sealed class GoTemplate
{
    private readonly string _name;
    private readonly string _text;
    private readonly IReadOnlyList<Node> _nodes;

    private GoTemplate(string name, string text, IReadOnlyList<Node> nodes)
    {
        _name = name;
        _text = text;
        _nodes = nodes;
    }

    /// <summary>Parses a template.</summary>
    /// <param name="name">The verb's name, which error messages begin with.</param>
    /// <param name="text">The template.</param>
    /// <exception cref="TemplateException">It is not a template.</exception>
    public static GoTemplate Parse(string name, string text) => new(name, text, TemplateParser.Parse(name, text));

    /// <summary>Prints data through the template. What stands before a failing action has been printed then.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="data">The dot.</param>
    /// <exception cref="TemplateException">The template does not fit the data.</exception>
    public void Execute(TextWriter output, TemplateValue data) => new TemplateRun(_name, _text, output, data).Walk(_nodes);
}
