using System.Net;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Finds out whether a registry knows somebody, before anything is written.</summary>
/// <param name="endpoint">What is logged into.</param>
/// <param name="context">What the command brings.</param>
public sealed class RegistryLogin(RegistryEndpoint endpoint, RegistryContext context)
{
    /// <summary>The credentials that are used now; null when there are none.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">A file is broken.</exception>
    public async Task<Credentials?> FindAsync(CancellationToken cancellationToken)
    {
        AuthFiles files = new(context.Options, context.Time, context.Warn);
        // the file to log into may be a new one
        return files.Named is { } named && !File.Exists(named) ? null : await files.FindAsync(endpoint, cancellationToken);
    }

    /// <summary>What is used in place of credentials that were just stored; null when they are used.</summary>
    /// <param name="stored">The credentials.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The file and its key.</returns>
    public async Task<string?> FindHidingAsync(Credentials stored, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stored);
        Credentials? found = await FindAsync(cancellationToken);
        return found is null || found with { Source = "" } == stored with { Source = "" } ? null : found.Source;
    }

    /// <summary>Logs in, without a scope: a registry that asks for nothing lets everybody in.</summary>
    /// <param name="credentials">The credentials.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to store: with an identity token in place of the password where a token server gave one.</returns>
    /// <exception cref="RegistryException">
    /// The registry cannot be reached; or it does not accept them, then <see cref="RegistryException.IsRefusal"/> is set.
    /// </exception>
    public async Task<Credentials> VerifyAsync(Credentials credentials, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        // who types a password wants to know at once
        RegistryOptions options = context.Options with { Credentials = credentials, WantsIdentityToken = true, Retries = 0 };
        await using RegistryConnection connection = RegistryConnection.Open(endpoint, RegistryAccess.None, context with { Options = options });
        string? identityToken = await connection.Client.AuthenticateAsync(cancellationToken);
        return identityToken is null ? credentials : credentials with { Password = "", IdentityToken = identityToken };
    }
}
