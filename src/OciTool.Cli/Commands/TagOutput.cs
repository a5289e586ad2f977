using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Prints the tags of a repository as <c>tags</c> and <c>search --list-tags</c> do.</summary>
internal static class TagOutput
{
    // distribution-spec: a tag has at most 128 characters
    private const int MaxTag = 128;

    /// <summary>Prints them by a format.</summary>
    /// <param name="verb">The verb's name, which error messages begin with.</param>
    /// <param name="output">Where to.</param>
    /// <param name="name">The repository with its registry.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="format"><c>json</c> or a template.</param>
    public static void Write(string verb, TextWriter output, string name, IReadOnlyList<string> tags, string format)
    {
        if (format == "json")
        {
            JsonOutput.Write(output, [new TagList { Name = name, Tags = [.. tags] }], OutputJson.Default.TagListArray, JsonLayout.Images);
            return;
        }

        RowFormat.Parse(verb, format).Write(output, [.. tags.Select(tag => TemplateValue.Of(
            new SearchResult { Name = name, Tag = Shown(tag) }, OutputJson.Default.SearchResult, "entities.ImageSearchReport"))]);
    }

    /// <summary>A tag as people see it: a registry may call anything a tag.</summary>
    /// <param name="tag">The registry's text.</param>
    public static string Shown(string tag) => Printable.Shorten(tag, MaxTag);
}
