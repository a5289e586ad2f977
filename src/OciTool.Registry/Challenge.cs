using System.Buffers;
using System.Text;

namespace OciTool.Registry;

/// <summary>One challenge of a <c>WWW-Authenticate</c> header.</summary>
/// <param name="Scheme">The scheme in lower case, for example <c>bearer</c>.</param>
/// <param name="Parameters">Its parameters; names are in lower case.</param>
/// <remarks>RFC 9110, section 11.6.1. Whatever is not well formed, repeated or too long makes the whole header void.</remarks>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaxLength = 8192;
    private const int MaxChallenges = 8;
    private const int MaxParameters = 16;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> Token68Characters =
        SearchValues.Create("-._~+/=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    internal string? this[string name] => Parameters.GetValueOrDefault(name);

    /// <summary>The challenges of a header; none when it is not well formed.</summary>
    internal static IReadOnlyList<Challenge> Parse(string header)
    {
        List<Challenge> challenges = [];
        Reader reader = new(header);
        if (header.Length > MaxLength)
        {
            return [];
        }

        reader.SkipCommas();
        while (!reader.AtEnd)
        {
            if (challenges.Count == MaxChallenges || reader.Token() is not { } scheme || !TryReadParameters(reader, out Dictionary<string, string> parameters))
            {
                return [];
            }

            challenges.Add(new Challenge(scheme.ToLowerInvariant(), parameters));
        }

        return challenges;
    }

    private static bool TryReadParameters(Reader reader, out Dictionary<string, string> parameters)
    {
        parameters = [];
        if (reader.AtEnd || reader.Peek() == ',')
        {
            return reader.SkipCommas();
        }

        if (!reader.SkipSpaces())
        {
            return false;
        }

        if (reader.Token68())
        {
            return reader.AtEnd || reader.SkipCommas();
        }

        while (!reader.AtEnd)
        {
            int start = reader.Position;
            string? name = reader.Token();
            reader.SkipSpaces();
            if (name is not null && parameters.Count > 0 && reader.Peek() != '=')
            {
                // this token is the next challenge's scheme
                reader.Position = start;
                return true;
            }

            if (name is null || !reader.Skip('=') || reader.Value() is not { } value
                || parameters.Count == MaxParameters || !parameters.TryAdd(name.ToLowerInvariant(), value))
            {
                return false;
            }

            if (!reader.AtEnd && !reader.SkipCommas())
            {
                return false;
            }
        }

        return parameters.Count > 0;
    }

    private sealed class Reader(string text)
    {
        internal int Position { get; set; }

        internal bool AtEnd => Position == text.Length;

        internal char Peek() => AtEnd ? '\0' : text[Position];

        internal bool Skip(char expected)
        {
            SkipSpaces();
            bool found = Peek() == expected;
            Position += found ? 1 : 0;
            SkipSpaces();
            return found;
        }

        internal bool SkipSpaces()
        {
            int start = Position;
            while (Peek() is ' ' or '\t')
            {
                Position++;
            }

            return Position > start;
        }

        // whether there was a comma, or nothing more
        internal bool SkipCommas()
        {
            bool found = false;
            SkipSpaces();
            while (Peek() == ',')
            {
                found = true;
                Position++;
                SkipSpaces();
            }

            return found || AtEnd;
        }

        internal string? Token()
        {
            int length = Length(TokenCharacters);
            if (length == 0)
            {
                return null;
            }

            Position += length;
            return text[(Position - length)..Position];
        }

        // a lone token68 fills the challenge: it ends at a comma or at the end
        internal bool Token68()
        {
            int start = Position;
            ReadOnlySpan<char> value = text.AsSpan(start, Length(Token68Characters));
            Position += value.Length;
            SkipSpaces();
            if (!value.IsEmpty && !value.TrimEnd('=').Contains('=') && (AtEnd || Peek() == ','))
            {
                return true;
            }

            Position = start;
            return false;
        }

        internal string? Value()
        {
            if (Peek() != '"')
            {
                return Token();
            }

            Position++;
            StringBuilder value = new();
            while (!AtEnd && Peek() != '"')
            {
                Position += Peek() == '\\' ? 1 : 0;
                if (AtEnd || (char.IsControl(Peek()) && Peek() != '\t'))
                {
                    return null;
                }

                value.Append(Peek());
                Position++;
            }

            if (AtEnd)
            {
                return null;
            }

            Position++;
            return value.ToString();
        }

        private int Length(SearchValues<char> allowed)
        {
            int length = text.AsSpan(Position).IndexOfAnyExcept(allowed);
            return length < 0 ? text.Length - Position : length;
        }
    }
}
