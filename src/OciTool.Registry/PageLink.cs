using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Finds out where a list goes on: the target of a <c>Link</c> header with <c>rel="next"</c>.</summary>
/// <remarks>
/// RFC 8288, section 3; distribution-spec v1.1, "Listing Tags" and "Listing Referrers". A list goes on at the registry itself: of a target
/// with the registry's host only path and query are taken, since registries behind a proxy write the wrong scheme or
/// port, and a target with another host is refused, which also keeps us out of networks that the registry points to.
/// </remarks>
internal static class PageLink
{
    private const int MaxLength = 8192;

    /// <summary>The next page; null when there is none.</summary>
    /// <param name="page">The page that has the header.</param>
    /// <param name="header">The header's value; null when there was none.</param>
    /// <exception cref="RegistryException">The header cannot be understood, or points to another server.</exception>
    internal static Uri? Next(Uri page, string? header)
    {
        if (string.IsNullOrWhiteSpace(header))
        {
            return null;
        }

        if (header.Length > MaxLength)
        {
            throw Refused(page, $"it is longer than {MaxLength} characters");
        }

        ReadOnlySpan<char> rest = header;
        while (!(rest = rest.TrimStart(" \t,")).IsEmpty)
        {
            int end = rest.IndexOf('>');
            if (rest[0] != '<' || end < 0)
            {
                throw Refused(page, $"'{Printable.Shorten(header, 80)}' is not <target>; rel=\"next\"");
            }

            ReadOnlySpan<char> target = rest[1..end];
            rest = rest[(end + 1)..];
            ReadOnlySpan<char> parameters = rest[..EndOfParameters(rest)];
            rest = rest[parameters.Length..];
            if (MeansNext(parameters))
            {
                return Resolve(page, target.Trim().ToString());
            }
        }

        return null;
    }

    // a comma inside quotes ends nothing
    private static int EndOfParameters(ReadOnlySpan<char> text)
    {
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\' when quoted: i++; break;
                case '"': quoted = !quoted; break;
                case ',' when !quoted: return i;
                default: break;
            }
        }

        return text.Length;
    }

    // registries link to nothing else, and some leave the relation out
    private static bool MeansNext(ReadOnlySpan<char> parameters)
    {
        foreach (Range range in parameters.Split(';'))
        {
            ReadOnlySpan<char> parameter = parameters[range].Trim();
            int equals = parameter.IndexOf('=');
            if (equals > 0 && parameter[..equals].TrimEnd().Equals("rel", StringComparison.OrdinalIgnoreCase))
            {
                ReadOnlySpan<char> relations = parameter[(equals + 1)..].Trim().Trim('"');
                foreach (Range relation in relations.Split(' '))
                {
                    if (relations[relation].Equals("next", StringComparison.OrdinalIgnoreCase))
                    {
                        return true;
                    }
                }

                return false;
            }
        }

        return true;
    }

    private static Uri Resolve(Uri page, string target)
    {
        if (!Uri.TryCreate(page, target, out Uri? next) || (next.Scheme != Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttp))
        {
            throw Refused(page, $"'{Printable.Shorten(target, 80)}' is not a URL");
        }

        return Addresses.IsSameHost(page, next)
            ? new Uri(page, next.PathAndQuery)
            : throw Refused(page, $"it points to {Printable.Shorten(Addresses.Origin(next))}, but a list goes on at the registry itself");
    }

    private static RegistryException Refused(Uri page, string cause) =>
        new($"{Addresses.Origin(page)}: the link to the next page is refused: {cause}") { Endpoint = Addresses.Origin(page) };
}
