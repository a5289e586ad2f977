using OciTool.Images;

namespace OciTool.Storage;

/// <summary>How names are written in the store, and what people may type for them.</summary>
/// <remarks>
/// In this order, as podman does for local images: <c>sha256:ID</c> and 64 digits are an ID; a name with a registry is
/// that name; a short name is looked up below <c>localhost/</c>, then <c>docker.io/library/</c> or <c>docker.io/</c>;
/// then as the beginning of an ID, from three digits; last as the end of any stored name, whole components only.
/// </remarks>
internal static class ImageNames
{
    internal const int ShortestId = 3;

    /// <summary>The name that a pull of a reference gives: with its digest where it has one, since the tag was not asked for.</summary>
    internal static string StoredNameOf(Reference reference) =>
        reference.Digest is { } digest ? $"{reference.Name}@{digest}" : reference.Canonical;

    /// <summary>A stored name without tag and digest.</summary>
    internal static string RepositoryOf(string name)
    {
        int at = name.IndexOf('@', StringComparison.Ordinal);
        string rest = at < 0 ? name : name[..at];
        int colon = rest.LastIndexOf(':');
        return colon > rest.LastIndexOf('/') ? rest[..colon] : rest;
    }

    /// <summary>The digits of an ID, whole or its beginning.</summary>
    internal static bool IsId(string text, out string digits, out bool explicitly)
    {
        bool prefixed = text.StartsWith("sha256:", StringComparison.Ordinal);
        digits = prefixed ? text["sha256:".Length..] : text;
        explicitly = prefixed || digits.Length == 64;
        return digits.Length is >= ShortestId and <= 64 && digits.All(char.IsAsciiHexDigitLower);
    }

    /// <summary>The whole names that a typed name may stand for, in the order in which they are tried.</summary>
    internal static IEnumerable<Reference> Candidates(Reference typed, string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? "" : text[..slash];
        bool qualified = first == "localhost" || first.AsSpan().ContainsAny('.', ':');
        if (!qualified)
        {
            if (Reference.TryParse($"localhost/{text}", out Reference? local, out _))
            {
                yield return local;
            }
        }

        yield return typed;
    }

    /// <summary>Whether a stored name ends in what was typed, at a component's border.</summary>
    internal static bool EndsIn(string name, string text) =>
        name.Length > text.Length && name.EndsWith(text, StringComparison.Ordinal) && name[^(text.Length + 1)] == '/';
}
