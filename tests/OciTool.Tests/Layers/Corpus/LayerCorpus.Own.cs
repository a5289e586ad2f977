namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private static OddLayer[] Own() => [];
}
