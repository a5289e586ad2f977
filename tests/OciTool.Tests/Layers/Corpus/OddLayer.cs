namespace OciTool.Tests.Layers.Corpus;

/// <summary>A layer as a registry has it.</summary>
/// <param name="Archive">The uncompressed archive, which the image's diffID promises.</param>
/// <param name="Blob">What is transferred.</param>
/// <param name="Compression">The end of the media type: <c>""</c>, <c>"+gzip"</c> or <c>"+zstd"</c>.</param>
internal sealed record OddBlob(byte[] Archive, byte[] Blob, string Compression)
{
    public static OddBlob Plain(byte[] archive) => new(archive, archive, "");
}

/// <summary>One odd layer, with those below it, and what must come of it.</summary>
/// <param name="Id">Its name: a letter and a number in the list of known cases, a family and a number otherwise.</param>
/// <param name="Title">What is odd about it.</param>
/// <param name="Must">What must come of it, in words.</param>
/// <param name="Layers">The layers, lowest first.</param>
/// <param name="Tree">The merged tree when it must be accepted.</param>
/// <param name="Refusal">A part of the message when it must be refused.</param>
internal sealed record OddLayer(
    string Id, string Title, string Must, IReadOnlyList<OddBlob> Layers, ExpectedTree? Tree, string? Refusal)
{
    /// <summary>Whether it is meant to cost more than others.</summary>
    public bool IsBomb { get; init; }

    /// <summary>Whether it is in the list of known cases rather than one of our own.</summary>
    public bool IsKnown => Id.Length == 3;

    /// <summary>The letter of known cases, or the name of the family.</summary>
    public string Family => IsKnown ? Id[..1] : Id[..Id.LastIndexOf(' ')];

    public override string ToString() => Id;
}
