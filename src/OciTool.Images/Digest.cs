using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OciTool.Images;

/// <summary>A content identifier: an algorithm and the lower-case hexadecimal hash of the content.</summary>
/// <remarks>
/// OCI image-spec v1.1, descriptor.md, section "Digests". Only the registered algorithms are accepted:
/// <c>sha256</c> (64 digits) and <c>sha512</c> (128 digits). Parsing and hashing are the only ways in, so a digest
/// may be used as a path component and as a part of a URL (CVE-2024-3727).
/// </remarks>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest : ISpanParsable<Digest>, IComparable<Digest>
{
    private static readonly SearchValues<char> LowerHexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string? _value;

    private Digest(string value) => _value = value;

    /// <summary>The algorithm: <c>sha256</c> or <c>sha512</c>.</summary>
    public string Algorithm => Value[..6];

    /// <summary>The hash in lower-case hexadecimal, without the algorithm.</summary>
    public string Hex => Value[7..];

    /// <summary>The first twelve digits of <see cref="Hex"/>, as people write it.</summary>
    public string Short => Value[7..19];

    private string Value => _value ?? throw new InvalidOperationException("default(Digest) names no content");

    /// <summary>Orders digests by their text.</summary>
    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;

    /// <inheritdoc cref="op_LessThan"/>
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;

    /// <summary>Hashes content with the canonical algorithm, sha256.</summary>
    /// <param name="content">The whole content.</param>
    public static Digest Of(ReadOnlySpan<byte> content)
    {
        OpenSsl.Require();
        return new Digest($"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}");
    }

    /// <summary>Hashes content with the algorithm of <paramref name="like"/>, to compare the two.</summary>
    /// <param name="content">The whole content.</param>
    /// <param name="like">The digest that the content should have.</param>
    public static Digest Of(ReadOnlySpan<byte> content, Digest like)
    {
        using IncrementalHash hash = like.CreateHash();
        hash.AppendData(content);
        return Of(hash);
    }

    /// <summary>The digest of all that was appended to a running hash.</summary>
    /// <param name="hash">A SHA-256 or SHA-512 hash; it is reset.</param>
    public static Digest Of(IncrementalHash hash)
    {
        string algorithm = hash.AlgorithmName == HashAlgorithmName.SHA512 ? "sha512" : "sha256";
        return new($"{algorithm}:{Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }

    /// <inheritdoc/>
    public static Digest Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, provider, out Digest digest)
            ? digest
            : throw new OciException(
                $"invalid digest '{Printable.Shorten(s)}': want sha256:<64 hex digits> or sha512:<128 hex digits>");

    /// <inheritdoc/>
    public static Digest Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan(), provider);

    /// <summary>Parses the wire form, <c>algorithm:hex</c>.</summary>
    /// <param name="s">The text.</param>
    /// <exception cref="OciException">The text is not a digest, or its algorithm is not registered.</exception>
    public static Digest Parse(string s) => Parse(s, provider: null);

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out Digest result)
    {
        int hexLength = s.StartsWith("sha256:", StringComparison.Ordinal) ? 64
            : s.StartsWith("sha512:", StringComparison.Ordinal) ? 128
            : -1;
        bool valid = hexLength > 0 && s.Length == 7 + hexLength && !s[7..].ContainsAnyExcept(LowerHexDigits);
        result = valid ? new Digest(s.ToString()) : default;
        return valid;
    }

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Digest result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>Starts a hash with this digest's algorithm, to verify content while it passes.</summary>
    /// <returns>A hash that the caller disposes.</returns>
    public IncrementalHash CreateHash()
    {
        OpenSsl.Require();
        return IncrementalHash.CreateHash(Algorithm == "sha512" ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
    }

    /// <inheritdoc/>
    public int CompareTo(Digest other) => string.CompareOrdinal(_value, other._value);

    /// <summary>The wire form, <c>algorithm:hex</c>.</summary>
    public override string ToString() => Value;
}

/// <summary>Reads and writes <see cref="Digest"/> as a JSON string and as a property name.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    /// <inheritdoc/>
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && reader.GetString() is { } text
            ? Digest.Parse(text)
            : throw new JsonException("a digest must be a string");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
