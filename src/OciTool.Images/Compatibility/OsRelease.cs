using System.Collections.Frozen;
using System.Text;

namespace OciTool.Images.Compatibility;

/// <summary>The file os-release: what a distribution says of itself.</summary>
/// <remarks>os-release(5): <c>/etc/os-release</c>, or else <c>/usr/lib/os-release</c>; assignments as a shell reads them.</remarks>
public sealed class OsRelease
{
    /// <summary>The most bytes that are read of one.</summary>
    public const int MaxSize = 64 * 1024;

    private const int MostValues = 1000;

    private OsRelease(string path, ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string> values) =>
        (Path, Bytes, Values) = (path, bytes, values);

    /// <summary>Where it was found.</summary>
    public string Path { get; }

    /// <summary>Its content.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>What it assigns; text of whoever made the image.</summary>
    public IReadOnlyDictionary<string, string> Values { get; }

    /// <summary>The distribution, in lower case, for example <c>debian</c>; <c>linux</c> where it does not say.</summary>
    public string Id => this["ID"] ?? "linux";

    /// <summary>The distributions that it is derived from, nearest first.</summary>
    public IReadOnlyList<string> IdLike => this["ID_LIKE"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The version, in numbers.</summary>
    public string? VersionId => this["VERSION_ID"];

    /// <summary>The variant, for example <c>container</c>.</summary>
    public string? VariantId => this["VARIANT_ID"];

    /// <summary>For example <c>platform:el9</c>.</summary>
    public string? PlatformId => this["PLATFORM_ID"];

    /// <summary>The name in the Common Platform Enumeration.</summary>
    public string? CpeName => this["CPE_NAME"];

    /// <summary>The first day without support, <c>YYYY-MM-DD</c>.</summary>
    public string? SupportEnd => this["SUPPORT_END"];

    /// <summary>The name for people.</summary>
    public string? PrettyName => this["PRETTY_NAME"];

    /// <summary>The value of a variable; null where it is not assigned.</summary>
    /// <param name="name">For example <c>ID</c>.</param>
    public string? this[string name] => Values.GetValueOrDefault(name);

    /// <summary>Reads one; lines that are no assignments are passed over.</summary>
    /// <param name="path">Where it was found.</param>
    /// <param name="bytes">Its content.</param>
    public static OsRelease Parse(string path, ReadOnlyMemory<byte> bytes)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (ReadOnlySpan<char> line in Encoding.UTF8.GetString(bytes.Span).AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> text = line.Trim();
            int equals = text.IndexOf('=');
            if (equals <= 0 || text[0] == '#' || values.Count == MostValues || text[..equals].ContainsAnyExcept(NameCharacters))
            {
                continue;
            }

            values[text[..equals].ToString()] = Unquote(text[(equals + 1)..]);
        }

        return new OsRelease(path, bytes, values.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private static string Unquote(ReadOnlySpan<char> text)
    {
        char quote = text is ['"' or '\'', ..] ? text[0] : '\0';
        StringBuilder value = new(text.Length);
        for (int i = quote == '\0' ? 0 : 1; i < text.Length; i++)
        {
            char c = text[i];
            if (c == quote && quote != '\0')
            {
                break;
            }

            // in single quotes a backslash is one; a shell would end an unquoted value at a blank
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                c = text[++i];
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                break;
            }

            value.Append(c);
        }

        return value.ToString();
    }
}
