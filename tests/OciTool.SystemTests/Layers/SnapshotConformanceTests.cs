using System.Globalization;
using OciTool.Storage.Layers;
using OciTool.SystemTests.Fixtures;
using OciTool.Tests.Layers.Model;
using Xunit;

namespace OciTool.SystemTests.Layers;

/// <summary>What a container sees is what the image specification says, whatever the layers are and in whatever form.</summary>
/// <remarks>
/// Random stacks of layers, each of a seed, are applied, mounted, and compared with a model. <c>tests/layer-stacks</c>
/// runs many more of them: it sets <c>OCI_TEST_STACKS</c> to their number, and <c>OCI_TEST_SEED</c> to the first seed.
/// </remarks>
public sealed class SnapshotConformanceTests
{
    [Fact]
    public void Stacks_of_directories_are_seen_as_the_specification_says() => Run(_ => SnapshotForm.Directory);

    [Fact]
    public void Stacks_of_erofs_images_are_seen_as_the_specification_says() => Run(_ => SnapshotForm.Erofs);

    [Fact]
    public void Stacks_of_both_forms_are_seen_as_the_specification_says() =>
        Run(index => index % 2 == 0 ? SnapshotForm.Erofs : SnapshotForm.Directory);

    private static void Run(Func<int, SnapshotForm> formOf)
    {
        Need.Root();
        ulong first = Number("OCI_TEST_SEED", 1);
        ulong end = first + Number("OCI_TEST_STACKS", 100);
        using LayerStacks stacks = new(formOf);
        for (ulong seed = first; seed < end; seed++)
        {
            List<List<LayerEntry>> stack = RandomLayers.Stack(seed);
            if (stacks.Compare(stack).Length > 0)
            {
                List<List<LayerEntry>> smallest = Shrinking.Shrink(stack, smaller => stacks.Compare(smaller).Length > 0);
                Assert.Fail($"seed {seed}:\n{Shrinking.Describe(smallest)}{stacks.Compare(smallest)}");
            }
        }
    }

    private static ulong Number(string variable, ulong otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
