namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private static OddLayer[] Framing() =>
    [
        Refused("G01", "ends within content", Cut(New().File("f", new string('x', 2000)), 1000), "unexpected end"),
        Refused("G02", "ends within a header", Cut(New().File("f"), 300), "unexpected end"),
        Applied("G03", "no blocks at its end", "applied", New().File("f"), Tree().File("f")),
        Applied("G04", "one block at its end", "applied", New().File("f").Raw(new byte[512]), Tree().File("f")),
        Applied("G05", "garbage behind the end", "ignored, but hashed", New().File("f").End().Raw("garbage"u8), Tree().File("f")),
        Applied("G06", "1 MiB of zeros behind the end", "ignored, but hashed", New().File("f").End().Raw(new byte[1 << 20]), Tree().File("f")),
        Applied("G07", "a second archive behind the end", "ignored, but hashed", New().File("f").End().File("g").End(), Tree().File("f")),
        Applied("G08", "no bytes at all", "an empty layer", New(), Tree()),
        Applied("G09", "only the end", "an empty layer", New().End(), Tree()),
        Refused("G10", "text", New().Raw(Ascii(new string('x', 1024))), "invalid header checksum"),
        Refused("G11", "one block of zeros, then more", New().File("f").Raw(new byte[512]).File("g"), "lone block of zeros"),
    ];

    private static TarBuilder Cut(TarBuilder tar, int length) => New().Raw(tar.ToArray().AsSpan(0, length));
}
