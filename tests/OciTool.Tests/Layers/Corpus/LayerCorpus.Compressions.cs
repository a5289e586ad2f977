namespace OciTool.Tests.Layers.Corpus;

internal static partial class LayerCorpus
{
    private static readonly byte[] Archive = New().File("f", "content").End().ToArray();

    private static OddLayer[] Compressions() =>
    [
        Packed("H01", "two gzip members", "all of them", "+gzip", [.. Compressed.Gzip(Archive[..700]), .. Compressed.Gzip(Archive[700..])]),
        Packed("H02", "gzip header with FEXTRA, FNAME, FCOMMENT and FHCRC", "applied", "+gzip", Compressed.GzipWithOptionalFields(Archive)),
        Packed("H03", "zeros behind the gzip data", "applied", "+gzip", [.. Compressed.Gzip(Archive), .. new byte[1000]]),
        PackedBadly("H04", "garbage behind the gzip data", "+gzip", [.. Compressed.Gzip(Archive), 0, 0, (byte)'x'], "trailing garbage"),
        PackedBadly("H05", "truncated gzip data", "+gzip", Compressed.Gzip(Archive)[..^9], "truncated gzip data"),
        PackedBadly("H06", "wrong gzip checksum", "+gzip", Flipped(Compressed.Gzip(Archive), ^8), "gzip checksum mismatch"),
        Packed("H07", "plain archive labelled gzip", "applied, by its first bytes", "+gzip", Archive),
        Packed("H08", "gzip labelled a plain archive", "applied, by its first bytes", "", Compressed.Gzip(Archive)),
        Packed("H09", "zstd labelled gzip", "applied, by its first bytes", "+gzip", Compressed.Zstd(Archive)),
        Packed("H10", "zstd", "applied", "+zstd", Compressed.Zstd(Archive)),
        Packed("H11", "skippable zstd frame in front", "skipped", "+zstd", [.. Compressed.Skippable(3), .. Compressed.Zstd(Archive)]),
        Packed("H12", "two zstd frames", "all of them", "+zstd", [.. Compressed.Zstd(Archive[..700]), .. Compressed.Zstd(Archive[700..])]),
        PackedBadly("H13", "truncated zstd data", "+zstd", Compressed.Zstd(Archive)[..^5], "truncated zstd data"),
        new("H14", "gzip of nothing", "an empty layer", [new([], Compressed.Gzip([]), "+gzip")], Tree(), Refusal: null),
        new("H15", "no bytes labelled gzip", "an empty layer", [new([], [], "+gzip")], Tree(), Refusal: null),
        PackedBadly("H16", "xz labelled gzip", "+gzip", Convert.FromHexString("fd377a585a000004e6d6b446"), "xz-compressed layers are not supported"),
        PackedBadly("H17", "bzip2 labelled gzip", "+gzip", Convert.FromHexString("425a6839314159265359"), "bzip2-compressed layers are not supported"),
        GzipBomb(),
        PackedBadly("H19", "zstd window of 2 GiB", "+zstd", [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00], "window size exceeded"),
    ];

    private static OddLayer GzipBomb()
    {
        byte[] content = new byte[32 << 20];
        byte[] archive = New().Add("zeros", data: content).ToArray();
        return new(
            "H18", "gzip of a ratio of 1000:1", "applied as far as there is room", [new(archive, Compressed.Gzip(archive), "+gzip")],
            Tree().File("zeros", content), Refusal: null)
        { IsBomb = true };
    }

    private static OddLayer Packed(string id, string title, string must, string compression, byte[] blob) =>
        new(id, title, must, [new(Archive, blob, compression)], Tree().File("f", "content"), Refusal: null);

    private static OddLayer PackedBadly(string id, string title, string compression, byte[] blob, string message) =>
        new(id, title, "refused", [new(Archive, blob, compression)], Tree: null, message);

    private static byte[] Flipped(byte[] content, Index index)
    {
        byte[] other = [.. content];
        other[index] ^= 1;
        return other;
    }
}
