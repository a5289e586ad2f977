using System.Runtime.CompilerServices;
using OciTool.Fuzz;
using OciTool.Fuzz.Targets;
using OciTool.Tests.Layers.Model;
using Xunit;

namespace OciTool.Tests.Fuzz;

/// <summary>What <c>tests/fuzz</c> does for hours, for a second: the corpus, and some thousand inputs made of it.</summary>
[Trait("Pace", "slow")]
public sealed class FuzzTargetTests
{
    private const int Mutations = 2000;

    public static TheoryData<string> Names => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_target_takes_its_corpus_and_damaged_inputs(string name)
    {
        IFuzzTarget target = FuzzTargets.All.Single(target => target.Name == name);
        byte[][] corpus = [.. Directory.GetFiles(Corpus(target)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        Assert.True(corpus.Length > 10);
        foreach (byte[] input in corpus)
        {
            Run(target, input, "of the corpus");
        }

        Dice dice = new(1);
        Mutator mutator = new(dice, target.Corpus == "tar");
        for (int i = 0; i < Mutations; i++)
        {
            byte[] input = mutator.Mutate(corpus[dice.Below(corpus.Length)], corpus[dice.Below(corpus.Length)]);
            Run(target, input, $"mutation {i}");
        }
    }

    private static void Run(IFuzzTarget target, byte[] input, string which)
    {
        try
        {
            target.Run(input);
        }
        catch (Exception e)
        {
            string file = Path.Join(Path.GetTempPath(), $"oci-fuzz-{target.Name}-failure");
            File.WriteAllBytes(file, input);
            throw new WrongException($"{which}, kept as {file}: {e}");
        }
    }

    private static string Corpus(IFuzzTarget target, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Join(Path.GetDirectoryName(here), "../../OciTool.Fuzz/corpus", target.Corpus));
}
