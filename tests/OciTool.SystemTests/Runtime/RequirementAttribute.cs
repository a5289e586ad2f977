using Xunit.v3;

namespace OciTool.SystemTests.Runtime;

/// <summary>Says which requirement a test shows; docs/runtime.md is written from these.</summary>
/// <param name="section">The document and its heading, for example <c>runtime.md#create</c>; tests of one run with <c>-trait Requirement=SECTION</c>.</param>
/// <param name="text">The requirement in a few own words, as the list of them has it.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class RequirementAttribute(string section, string text) : Attribute, ITraitAttribute
{
    /// <summary>The document and its heading.</summary>
    public string Section { get; } = section;

    /// <summary>The requirement in a few own words.</summary>
    public string Text { get; } = text;

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Requirement", Section)];
}
