using System.Globalization;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Our own cases, in families.</summary>
internal static partial class LayerCorpus
{
    private static IEnumerable<OddLayer> Own() =>
    [
        .. Family("duplicates", DuplicatesOfAllPairs()),
        .. Family("swaps", Swaps()),
        .. Family("breakouts", Breakouts()),
        .. Family("symlinks", OwnSymlinks()),
        .. Family("hard links", OwnHardLinks()),
        .. Family("whiteout names", WhiteoutNames()),
        .. Family("whiteout order", WhiteoutOrder()),
        .. Family("whiteout stacks", WhiteoutStacks()),
        .. Family("names", OwnNames()),
        .. Family("numbers", OwnNumbers()),
        .. Family("header combinations", HeaderCombinations()),
        .. Family("sparse maps", SparseMaps()),
        .. Family("attributes", OwnAttributes()),
        .. Family("gzip framing", GzipFraming()),
        .. Family("zstd framing", ZstdFraming()),
        .. Family("shapes", Shapes()),
    ];

    private static IEnumerable<OddLayer> Family(string name, IEnumerable<OddLayer> rows) =>
        rows.Select((row, index) => row with { Id = string.Create(CultureInfo.InvariantCulture, $"{name} {index + 1:d2}") });

    private static OddLayer Ok(string title, TarBuilder layer, ExpectedTree tree) => Applied("", title, "", layer, tree);

    private static OddLayer Over(string title, TarBuilder layer, ExpectedTree tree) => OverBase("", title, "", layer, tree);

    private static OddLayer Bad(string title, TarBuilder layer, string message) => Refused("", title, layer, message);

    private static IEnumerable<T[]> Permutations<T>(T[] parts) => parts.Length == 1
        ? [parts]
        : parts.SelectMany((part, index) => Permutations([.. parts[..index], .. parts[(index + 1)..]]).Select(rest => (T[])[part, .. rest]));
}
