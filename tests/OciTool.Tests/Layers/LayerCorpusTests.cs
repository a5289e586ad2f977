using OciTool.Storage;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Corpus;
using Xunit;

namespace OciTool.Tests.Layers;

/// <summary>Every odd layer has the result that it must have, quickly, in little memory, and leaves the host alone.</summary>
[Collection("odd layers")] // one far canary for all
[Trait("Pace", "slow")]
public sealed class LayerCorpusTests
{
    private const long MostMemory = 100 << 20;

    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(1);

    public static TheoryData<string, SnapshotForm> Cases => [.. LayerCorpus.Rows.SelectMany(row =>
        Enum.GetValues<SnapshotForm>().Select(form => new TheoryDataRow<string, SnapshotForm>(row.Id, form)))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_odd_layer_has_the_required_result(string id, SnapshotForm form)
    {
        OddLayer row = LayerCorpus.Rows.Single(row => row.Id == id);
        using LayerStack stack = new(form);

        foreach (OddBlob lower in row.Layers.SkipLast(1))
        {
            stack.Apply(lower);
        }

        if (row.Refusal is null)
        {
            stack.Apply(row.Layers[^1]);
            if (form == SnapshotForm.Directory) // the system tests mount the other form
            {
                Assert.Empty(row.Tree!.Differences(stack.Merged(), Environment.IsPrivilegedProcess));
            }
        }
        else
        {
            LayerException failure = Assert.Throws<LayerException>(() => stack.Apply(row.Layers[^1]));
            Assert.Contains(row.Refusal, failure.Message, StringComparison.Ordinal);
        }

        Assert.True(stack.CanariesAreUntouched());
        Assert.True(row.IsBomb || stack.CpuTime < MostTime, $"{stack.CpuTime}");
        Assert.InRange(stack.Allocated, 0, MostMemory);
    }

    [Fact]
    public void Every_known_case_is_there()
    {
        (char Letter, int Count)[] known =
            [('A', 14), ('B', 25), ('C', 25), ('D', 12), ('E', 13), ('F', 30), ('G', 11), ('H', 19), ('J', 24)];
        string[] expected = [.. known.SelectMany(part => Enumerable.Range(1, part.Count).Select(number => $"{part.Letter}{number:d2}"))];

        Assert.Equal(expected, LayerCorpus.Rows.Where(row => row.IsKnown).Select(row => row.Id));
        Assert.Equal(LayerCorpus.Rows.Count, LayerCorpus.Rows.Select(row => row.Id).Distinct().Count());
    }
}
