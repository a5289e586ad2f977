using System.CommandLine;
using OciTool.Cli.Output;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>The options of every verb that talks to a registry.</summary>
internal sealed class RegistryFlags
{
    private readonly Option<string?> _authFile = new("--authfile")
    {
        Description = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override",
        HelpName = "string",
    };

    private readonly Option<string?> _certDirectory = new("--cert-dir")
    {
        Description = "Pathname of a directory containing TLS certificates",
        HelpName = "Pathname",
    };

    private readonly Option<string?> _credentials = new("--creds")
    {
        Description = "Credentials (USERNAME:PASSWORD) to use for authenticating to a registry",
        HelpName = "Credentials",
    };

    private readonly Option<int?> _retries = new("--retry")
    {
        Description = "Number of times to retry in case of failure (default 3)",
        HelpName = "uint",
    };

    private readonly Option<string?> _policy = new("--signature-policy")
    {
        Description = "Pathname of the signature policy file (default policy.json of the user, else /etc/containers/policy.json)",
        HelpName = "Pathname",
    };

    private readonly Option<string?> _retryDelay = new("--retry-delay")
    {
        Description = "Delay between retries in case of failure, for example 5s (default 1, 2, 4… s)",
        HelpName = "string",
    };

    private readonly Option<bool?> _tlsVerify = new("--tls-verify")
    {
        Description = "Require HTTPS and verify certificates when contacting registries (default true, where registries.conf says nothing else)",
    };

    private readonly Verb _verb;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="takesImages">Whether it takes images from registries, which a policy may refuse.</param>
    public RegistryFlags(Verb verb, bool takesImages = false)
    {
        _verb = verb;
        verb.Add(_authFile);
        verb.Add(_certDirectory);
        verb.Add(_credentials);
        verb.Add(_retries);
        verb.Add(_retryDelay);
        if (takesImages)
        {
            verb.Add(_policy);
        }

        verb.Add(_tlsVerify);
    }

    /// <summary>The signature policy that the command line names; null for the one that holds here.</summary>
    public string? ReadPolicy(ParseResult command) => command.GetValue(_policy);

    /// <summary>What the command line says. From then on this process may hold passwords: it leaves no core file.</summary>
    public RegistryOptions Read(ParseResult command)
    {
        Linux.Credentials.Conceal();
        RegistryOptions defaults = new();
        return defaults with
        {
            AuthFile = command.GetValue(_authFile),
            CertDirectory = command.GetValue(_certDirectory),
            Credentials = command.GetValue(_credentials) is { } credentials ? Credentials.Parse(credentials) : null,
            RegistriesConf = _verb.Global.RegistriesConf,
            RegistriesConfDirectory = _verb.Global.RegistriesConfDirectory,
            Retries = command.GetValue(_retries) ?? defaults.Retries,
            RetryDelay = command.GetValue(_retryDelay) is { } delay ? GoDuration.Parse(delay) : null,
            TlsVerify = command.GetValue(_tlsVerify),
        };
    }
}
