using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace OciTool.Images;

/// <summary>Names an image in a registry: <c>host[:port]/repository[:tag][@digest]</c>, fully qualified.</summary>
/// <remarks>
/// The grammar is that of distribution/reference: a first component that has a dot or a colon, or is
/// <c>localhost</c>, is the registry, otherwise the registry is docker.io, where a single component lives in
/// <c>library/</c>. The limits are 255 characters for a registry and repository and 128 for a tag.
/// </remarks>
public sealed record Reference : IParsable<Reference>
{
    /// <summary>The registry that names without one belong to.</summary>
    public const string DefaultRegistry = "docker.io";

    private const string DefaultTag = "latest";
    private const int MaxName = 255;
    private const int MaxTag = 128;

    private static readonly SearchValues<char> LowerAlphanumeric =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    private static readonly SearchValues<char> TagCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private Reference(string registry, string repository, string? tag, Digest? digest) =>
        (Registry, Repository, Tag, Digest) = (registry, repository, tag, digest);

    /// <summary>The registry's host and, where it is given, its port, for example <c>quay.io</c> or <c>[::1]:5000</c>.</summary>
    public string Registry { get; }

    /// <summary>The repository inside the registry, for example <c>fedora/fedora</c>.</summary>
    public string Repository { get; }

    /// <summary>The tag; <c>latest</c> where neither a tag nor a digest was written, null behind a digest alone.</summary>
    public string? Tag { get; }

    /// <summary>The digest of the manifest or index, where one was written.</summary>
    public Digest? Digest { get; }

    /// <summary>The registry and the repository, for example <c>docker.io/library/alpine</c>.</summary>
    public string Name => $"{Registry}/{Repository}";

    /// <summary>How a store names this image: with the tag where there is one, else with the digest.</summary>
    public string Canonical => Tag is null ? $"{Name}@{Digest}" : $"{Name}:{Tag}";

    /// <summary>What the distribution-spec calls <c>reference</c> in <c>/v2/name/manifests/reference</c>: the digest wins.</summary>
    public string TagOrDigest => Digest?.ToString() ?? Tag!;

    /// <summary>Parses what people type, and completes it.</summary>
    /// <param name="text">For example <c>alpine</c>, <c>quay.io/fedora/fedora:34</c>, optionally behind <c>docker://</c>.</param>
    /// <exception cref="OciException">The text is not a reference; the message says which part is wrong.</exception>
    public static Reference Parse(string text) =>
        TryParse(text, out Reference? reference, out string? mistake)
            ? reference
            : throw new OciException($"invalid reference format '{Printable.Shorten(text)}': {mistake}");

    /// <inheritdoc/>
    public static Reference Parse(string s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc/>
    public static bool TryParse(
        [NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out Reference result) =>
        TryParse(s ?? "", out result, out _);

    /// <summary>Parses what people type, or says what is wrong with it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="reference">The reference.</param>
    /// <param name="mistake">Which part is wrong, and why.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out Reference? reference, [NotNullWhen(false)] out string? mistake)
    {
        reference = null;
        ReadOnlySpan<char> rest = text;
        if (rest.StartsWith("docker://", StringComparison.Ordinal))
        {
            rest = rest["docker://".Length..];
        }

        Digest? digest = null;
        int at = rest.IndexOf('@');
        if (at >= 0)
        {
            if (!Images.Digest.TryParse(rest[(at + 1)..], provider: null, out Digest parsed))
            {
                mistake = "the digest behind '@' must be sha256:<64 hex digits> or sha512:<128 hex digits>";
                return false;
            }

            digest = parsed;
            rest = rest[..at];
        }

        string? tag = null;
        int colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/') && !(rest.StartsWith('[') && rest.LastIndexOf(']') > colon))
        {
            tag = rest[(colon + 1)..].ToString();
            rest = rest[..colon];
            if (!IsTag(tag))
            {
                mistake = $"a tag has at most {MaxTag} letters, digits, '_', '.' and '-', and begins with none of the last two";
                return false;
            }
        }

        int slash = rest.IndexOf('/');
        ReadOnlySpan<char> first = slash < 0 ? [] : rest[..slash];
        bool hasRegistry = first.ContainsAny('.', ':', '[') || first is "localhost";
        string registry = hasRegistry ? first.ToString() : DefaultRegistry;
        ReadOnlySpan<char> repository = hasRegistry ? rest[(slash + 1)..] : rest;
        if (registry is "index.docker.io" or "registry-1.docker.io")
        {
            registry = DefaultRegistry;
        }

        mistake = MistakeInRegistry(registry) ?? MistakeInRepository(repository);
        if (mistake is not null)
        {
            return false;
        }

        string path = registry == DefaultRegistry && !repository.Contains('/')
            ? $"library/{repository}"
            : repository.ToString();
        if (registry.Length + 1 + path.Length > MaxName)
        {
            mistake = $"registry and repository are longer than {MaxName} characters";
            return false;
        }

        reference = new Reference(registry, path, tag ?? (digest is null ? DefaultTag : null), digest);
        return true;
    }

    /// <summary>The same repository with another tag or digest.</summary>
    /// <param name="digest">The digest to name.</param>
    public Reference WithDigest(Digest digest) => new(Registry, Repository, tag: null, digest);

    /// <summary>The whole name, for example <c>quay.io/fedora/fedora:34@sha256:…</c>.</summary>
    public override string ToString() =>
        $"{Name}{(Tag is null ? "" : $":{Tag}")}{(Digest is null ? "" : $"@{Digest}")}";

    private static bool IsTag(string tag) =>
        tag.Length is > 0 and <= MaxTag && tag[0] is not ('.' or '-') && !tag.AsSpan().ContainsAnyExcept(TagCharacters);

    private static string? MistakeInRegistry(string registry)
    {
        ReadOnlySpan<char> host = registry;
        int end = host.StartsWith('[') ? host.IndexOf(']') + 1 : host.IndexOf(':');
        ReadOnlySpan<char> port = end > 0 && end < host.Length ? host[end..] : [];
        host = end > 0 ? host[..end] : host;
        if (!port.IsEmpty && (port[0] != ':' || !ushort.TryParse(port[1..], System.Globalization.NumberStyles.None, null, out ushort number) || number == 0))
        {
            return "the port behind the registry's name must be a number from 1 to 65535";
        }

        if (host.StartsWith('['))
        {
            return System.Net.IPAddress.TryParse(host[1..^1], out System.Net.IPAddress? address)
                && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
                ? null
                : "the registry in brackets is not an IPv6 address";
        }

        foreach (Range part in host.Split('.'))
        {
            ReadOnlySpan<char> label = host[part];
            if (label.IsEmpty || label.StartsWith('-') || label.EndsWith('-') || !IsHostLabel(label))
            {
                return "the registry's name has letters, digits and '-' between dots";
            }
        }

        return null;
    }

    private static bool IsHostLabel(ReadOnlySpan<char> label)
    {
        foreach (char c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
            {
                return false;
            }
        }

        return true;
    }

    private static string? MistakeInRepository(ReadOnlySpan<char> repository)
    {
        if (repository.IsEmpty)
        {
            return "there is no repository in it";
        }

        if (repository.Length == 64 && !repository.ContainsAnyExcept(HexDigits))
        {
            return "64 hexadecimal digits are an image ID, not a repository";
        }

        foreach (Range part in repository.Split('/'))
        {
            if (!IsPathComponent(repository[part]))
            {
                return repository.ContainsAnyInRange('A', 'Z')
                    ? "a repository is lower case"
                    : "a repository has lower-case letters and digits, with '.', '_', '__' or '-' between them, in parts divided by '/'";
            }
        }

        return null;
    }

    // alphanumeric (separator alphanumeric)*, where a separator is '.', '_', '__' or any number of '-'
    private static bool IsPathComponent(ReadOnlySpan<char> component)
    {
        if (component.IsEmpty || !LowerAlphanumeric.Contains(component[0]) || !LowerAlphanumeric.Contains(component[^1]))
        {
            return false;
        }

        while (true)
        {
            int separator = component.IndexOfAnyExcept(LowerAlphanumeric);
            if (separator < 0)
            {
                return true;
            }

            component = component[separator..];
            int length = component.IndexOfAny(LowerAlphanumeric);
            ReadOnlySpan<char> text = component[..length];
            if (text is not ("." or "_" or "__") && text.ContainsAnyExcept('-'))
            {
                return false;
            }

            component = component[length..];
        }
    }
}
