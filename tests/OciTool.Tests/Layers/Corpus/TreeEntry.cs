using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OciTool.Tests.Layers.Corpus;

/// <summary>A file of a tree: as it is on disk, or as it has to be.</summary>
/// <param name="Type">As find(1) has it: f, d, l, c, b, p; <c>?</c> for a name that is listed and cannot be looked at.</param>
/// <param name="Mode">Permissions with set-id and sticky bits.</param>
/// <param name="Content">What a file has, or where a link leads to; text is Latin-1, and long content is a hash.</param>
/// <param name="Modified">Seconds since 1970 with their fraction; null for any.</param>
/// <param name="Links">The number of its names; null for any.</param>
/// <param name="HasHoles">Whether it takes less than half of its size on disk; null for any.</param>
internal sealed record TreeEntry(
    char Type, uint Mode, long Owner = 0, long Group = 0, string Content = "", decimal? Modified = null, uint? Links = null,
    bool? HasHoles = null)
{
    /// <summary>Extended attributes, without those that the host gives by itself.</summary>
    public SortedDictionary<string, string> Xattrs { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The content of a file as <see cref="Content"/> has it.</summary>
    public static string Text(ReadOnlySpan<byte> content) => content.Length <= 200
        ? Encoding.Latin1.GetString(content)
        : string.Create(CultureInfo.InvariantCulture, $"{content.Length} bytes {Convert.ToHexStringLower(SHA256.HashData(content))}");

    /// <summary>Whether it is what an expected entry says.</summary>
    public bool Is(TreeEntry expected) =>
        this with { Modified = null, Links = null, HasHoles = null, Xattrs = expected.Xattrs }
            == expected with { Modified = null, Links = null, HasHoles = null }
        && (expected.Modified is null || expected.Modified == Modified)
        && (expected.Links is null || expected.Links == Links)
        && (expected.HasHoles is null || expected.HasHoles == HasHoles)
        && Xattrs.SequenceEqual(expected.Xattrs);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Type} {Convert.ToString(Mode, 8)} {Owner}:{Group} '{Content}' @{Modified} x{Links}{(HasHoles == true ? " with holes" : "")}")
        + string.Concat(Xattrs.Select(xattr => $" {xattr.Key}={xattr.Value}"));
}
