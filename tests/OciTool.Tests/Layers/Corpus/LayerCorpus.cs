using System.Globalization;
using System.Text;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>Odd and hostile layers: all that are known from the field, and our own.</summary>
/// <remarks>
/// Every row makes its archives itself. Known cases have the letter and number under which docs/layers.md lists them:
/// A names, B links, C whiteouts, D types, E extended attributes, F headers, G framing, H compression, J more of all.
/// </remarks>
internal static partial class LayerCorpus
{
    private static readonly Lazy<IReadOnlyList<OddLayer>> AllRows = new(() =>
    [
        .. Names(), .. Links(), .. Whiteouts(), .. Types(), .. Xattrs(), .. Headers(), .. Framing(), .. Compressions(), .. More(),
        .. Own(),
    ]);

    /// <summary>A directory of the host that archives try to reach; not made here. The same for one process.</summary>
    public static string Far { get; } =
        Path.Join(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"oci-canary-{Environment.ProcessId}"));

    /// <summary>The cases.</summary>
    public static IReadOnlyList<OddLayer> Rows => AllRows.Value;

    /// <summary>The path of a file below the canary, as it is inside of a layer.</summary>
    private static string Inside(string name) => $"{Far[1..]}/{name}";

    private static TarBuilder New() => new();

    private static ExpectedTree Tree() => new();

    /// <summary>The layer below, for cases that need one: <c>etc/passwd</c>, <c>d/low</c> and <c>keep</c>.</summary>
    private static TarBuilder Base() =>
        New().Directory("etc").File("etc/passwd", "root").Directory("d").File("d/low", "low").File("keep", "keep");

    private static ExpectedTree BaseTree() =>
        Tree().Directory("etc").File("etc/passwd", "root").Directory("d").File("d/low", "low").File("keep", "keep");

    private static OddLayer Applied(string id, string title, string must, TarBuilder layer, ExpectedTree tree) =>
        Stacked(id, title, must, tree, layer);

    private static OddLayer OverBase(string id, string title, string must, TarBuilder layer, ExpectedTree tree) =>
        Stacked(id, title, must, tree, Base(), layer);

    private static OddLayer Stacked(string id, string title, string must, ExpectedTree tree, params TarBuilder[] layers) =>
        new(id, title, must, [.. layers.Select(layer => OddBlob.Plain(layer.ToArray()))], tree, Refusal: null);

    private static OddLayer Refused(string id, string title, TarBuilder layer, string message) =>
        RefusedStack(id, title, message, layer);

    private static OddLayer RefusedOverBase(string id, string title, TarBuilder layer, string message) =>
        RefusedStack(id, title, message, Base(), layer);

    private static OddLayer RefusedStack(string id, string title, string message, params TarBuilder[] layers) =>
        new(id, title, "refused", [.. layers.Select(layer => OddBlob.Plain(layer.ToArray()))], Tree: null, message);

    private static string Many(string part, int count) => string.Concat(Enumerable.Repeat(part, count));

    private static string Numbered(string prefix, int number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{number:d3}");

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);
}
