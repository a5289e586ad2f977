using Xunit.v3;

namespace OciTool;

/// <summary>Says that a test shows what happens at one fault of the matrix; docs/registries.md is written from these.</summary>
/// <param name="row">The row of the matrix, from 1; tests of one row run with <c>-trait Fault=ROW</c>.</param>
/// <param name="outcome">What happens, as a clause for people.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class FaultAttribute(int row, string outcome) : Attribute, ITraitAttribute
{
    /// <summary>The row of the matrix.</summary>
    public int Row { get; } = row;

    /// <summary>What happens.</summary>
    public string Outcome { get; } = outcome;

    /// <inheritdoc/>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [new("Fault", Row.ToString(System.Globalization.CultureInfo.InvariantCulture))];
}
