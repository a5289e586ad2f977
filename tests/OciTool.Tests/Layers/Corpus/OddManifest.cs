namespace OciTool.Tests.Layers.Corpus;

/// <summary>What is odd about an image rather than about one of its layers; the system tests make these and pull them.</summary>
/// <param name="Id">I and a number.</param>
/// <param name="Title">What is odd about it.</param>
/// <param name="Must">What must come of it, in words.</param>
/// <param name="Refusal">A part of the message when it must be refused, otherwise null.</param>
internal sealed record OddManifest(string Id, string Title, string Must, string? Refusal)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<OddManifest> Rows { get; } =
    [
        new("I01", "diffID that the layer does not have", "refused", "does not match config diff_id"),
        new("I02", "layer's size one less than it is", "refused", "more bytes"),
        new("I03", "layer's size one more than it is", "refused", "1 bytes before the blob"),
        new("I04", "one bit of the layer's blob wrong", "refused", "with digest"),
        new("I05", "127 layers", "pulled, and runs", null),
        new("I06", "600 layers", "refused before anything is downloaded", "600 layers are more than the 500 that can be stacked"),
        new("I07", "the same layer twice", "pulled, and runs", null),
        new("I08", "fewer diffIDs than layers", "refused", "it has 1 diff_ids for 2 layers"),
        new("I09", "layer of an unknown type", "refused", "has the unsupported media type"),
        new("I10", "manifest that is an index too", "refused", "which belongs to another kind of document"),
        new("I11", "configuration of an artifact", "refused", "it is an artifact of type"),
        new("I12", "image of another architecture", "pulled", null),
    ];
}
