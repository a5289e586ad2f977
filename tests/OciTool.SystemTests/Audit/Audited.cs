using System.Globalization;
using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Audit;

/// <summary>A property of both containers.</summary>
internal sealed record AuditRow(string Property, string Ours, string Theirs)
{
    /// <summary>Equal, what <see cref="Differences"/> says of it, or WEAKER where it says nothing.</summary>
    public string Verdict => Ours == Theirs
        ? "equal"
        : Differences.Reasons.TryGetValue(Property, out string? reason) ? reason : "WEAKER";
}

/// <summary>Every property, and the answers to every system call by three ways into the kernel.</summary>
internal sealed record Audited(IReadOnlyList<AuditRow> Rows, IReadOnlyDictionary<int, string> Calls)
{
    private const string Absent = "absent";

    public static async Task<Audited> CompareAsync(
        Func<string[], string[], Task<ProgramResult>> ours, Func<string[], string[], Task<ProgramResult>> theirs)
    {
        SortedDictionary<string, string> here = await IsolationFacts.CollectAsync(ours);
        SortedDictionary<string, string> there = await IsolationFacts.CollectAsync(theirs);
        List<AuditRow> rows = [.. here.Keys.Union(there.Keys).Order(StringComparer.Ordinal).Select(
            property => new AuditRow(property, here.GetValueOrDefault(property, Absent), there.GetValueOrDefault(property, Absent)))];
        SortedDictionary<int, string> native = [];
        foreach ((string abi, string name) in new[] { ("x64", "x86-64"), ("x86", "x86 (int 0x80)"), ("x32", "x32") })
        {
            SortedDictionary<int, string> mine = await IsolationFacts.CallsAsync(ours, "filter", abi);
            rows.Add(Compare($"filter's verdict on {mine.Count} system calls of {name}", mine, await IsolationFacts.CallsAsync(theirs, "filter", abi)));
            native = abi == "x64" ? mine : native;
        }

        SortedDictionary<int, string> answers = await IsolationFacts.CallsAsync(ours, "calls");
        rows.Add(Compare("kernel's answer to all of these calls with useless arguments", answers, await IsolationFacts.CallsAsync(theirs, "calls")));
        return new(rows, native);
    }

    private static AuditRow Compare(string property, SortedDictionary<int, string> ours, SortedDictionary<int, string> theirs)
    {
        string[] differing =
        [
            .. ours.Where(call => !SystemCalls.Exempt.Contains(call.Key) && theirs.GetValueOrDefault(call.Key) != call.Value)
                .Select(call => string.Create(CultureInfo.InvariantCulture, $"{call.Key}: {call.Value}")),
        ];
        return differing.Length == 0
            ? new(property, "as podman's", "as podman's")
            : new(property, string.Join("; ", differing), "others");
    }
}
