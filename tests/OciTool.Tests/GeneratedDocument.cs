using Xunit;

namespace OciTool.Tests;

/// <summary>A page of docs/ whose end is written from the sources of the tests.</summary>
internal static class GeneratedDocument
{
    private const string WriteVariable = "OCI_WRITE_DOCS";

    /// <summary>Fails unless the page ends in what is generated; writes it where the environment asks for that.</summary>
    /// <param name="tests">The directory of all tests.</param>
    /// <param name="page">The page's file name.</param>
    /// <param name="writer">The class that generates, which the page names.</param>
    /// <param name="generated">What stands behind the mark.</param>
    internal static void Check(string tests, string page, string writer, string generated)
    {
        string file = Path.Join(tests, "../docs", page);
        string text = File.ReadAllText(file);
        string mark = $"<!-- What follows is written by {writer}; do not edit it. -->";
        int at = text.IndexOf(mark, StringComparison.Ordinal);
        Assert.True(at >= 0, $"docs/{page} has no line '{mark}'");
        string whole = $"{text[..(at + mark.Length)]}\n\n{generated}";
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            File.WriteAllText(file, whole);
            return;
        }

        Assert.True(text == whole, $"docs/{page} is not up to date: run the tests with {WriteVariable}=1 and commit it");
    }
}
