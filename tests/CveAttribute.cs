using Xunit.v3;

namespace OciTool;

/// <summary>Says that a test makes an attack that succeeded against another tool; a table of docs/security.md is written from these.</summary>
/// <param name="id">Its number, or a name where it has none; tests of one run with <c>-trait Cve=ID</c>.</param>
/// <param name="attack">What it is, in a few own words.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CveAttribute(string id, string attack) : Attribute, ITraitAttribute
{
    /// <summary>The number.</summary>
    public string Id { get; } = id;

    /// <summary>The attack.</summary>
    public string Attack { get; } = attack;

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Cve", Id)];
}
