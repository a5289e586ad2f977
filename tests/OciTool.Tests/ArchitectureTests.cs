using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Xunit;

namespace OciTool.Tests;

public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        ["OciTool.Images"] = [],
        ["OciTool.Linux"] = [],
        ["OciTool.Registry"] = ["OciTool.Images"],
        ["OciTool.Storage"] = ["OciTool.Images", "OciTool.Linux"],
        ["OciTool.Runtime"] = ["OciTool.Images", "OciTool.Linux"],
        ["OciTool.Cli"] = ["OciTool.Registry", "OciTool.Storage", "OciTool.Runtime"],
    };

    private static readonly Dictionary<string, string[]> AllowedPackages = new()
    {
        ["OciTool.Images"] = [],
        ["OciTool.Linux"] = [],
        ["OciTool.Registry"] = ["Microsoft.Extensions.Http", "Tomlyn"],
        ["OciTool.Storage"] = ["SharpCompress"],
        ["OciTool.Runtime"] = [],
        ["OciTool.Cli"] = ["Serilog", "Serilog.Extensions.Logging", "Serilog.Sinks.Console", "Spectre.Console", "System.CommandLine"],
    };

    [Fact]
    public void Projects_refer_to_nothing_but_what_the_architecture_allows()
    {
        string[] projects = Directory.GetFiles(Source(), "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(AllowedReferences.Keys.Order(), projects.Select(Path.GetFileNameWithoutExtension).Order());
        foreach (string project in projects)
        {
            string name = Path.GetFileNameWithoutExtension(project);
            XDocument document = XDocument.Load(project);
            Assert.Equal(
                AllowedReferences[name].Order(),
                Includes(document, "ProjectReference").Select(Path.GetFileNameWithoutExtension).Order());
            Assert.Equal(AllowedPackages[name].Order(), Includes(document, "PackageReference").Order());
        }
    }

    [Fact]
    public void Only_the_system_call_project_may_be_unsafe()
    {
        string[] unsafeProjects = [.. Directory.GetFiles(Source(), "*.csproj", SearchOption.AllDirectories)
            .Where(project => File.ReadAllText(project).Contains("AllowUnsafeBlocks", StringComparison.Ordinal))
            .Select(project => Path.GetFileNameWithoutExtension(project)!)];
        Assert.Equal(["OciTool.Linux"], unsafeProjects);
    }

    private static IEnumerable<string> Includes(XDocument project, string element) =>
        project.Descendants(element).Select(item => item.Attribute("Include")!.Value);

    private static string Source([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Join(Path.GetDirectoryName(here), "../../src"));
}
