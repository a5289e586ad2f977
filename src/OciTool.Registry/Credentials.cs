using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A user and a password, or an identity token in place of the password.</summary>
/// <param name="User">The name.</param>
/// <param name="Password">The password; never logged and never part of an error.</param>
public sealed record Credentials(string User, string Password)
{
    /// <summary>An OAuth2 refresh token to exchange for access tokens.</summary>
    internal string? IdentityToken { get; init; }

    /// <summary>Where they were found, for errors: a file and its key, or the option.</summary>
    public string Source { get; internal init; } = "--creds";

    /// <summary>Parses the value of <c>--creds</c>.</summary>
    /// <param name="text"><c>user:password</c>; everything behind the first colon is the password, which may be absent.</param>
    /// <exception cref="OciException">There is no user in it.</exception>
    public static Credentials Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string user = colon < 0 ? text : text[..colon];
        return user.Length == 0
            ? throw new OciException("invalid credentials: want user:password")
            : new Credentials(user, colon < 0 ? "" : text[(colon + 1)..]);
    }

    /// <summary>Whose credentials they are and where they were found, without the secret.</summary>
    public override string ToString() =>
        IdentityToken is null ? $"the credentials of user '{Printable.Shorten(User, 64)}' from {Source}" : $"the identity token from {Source}";
}
