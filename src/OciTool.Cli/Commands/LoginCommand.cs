using System.CommandLine;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci login REGISTRY</c>: verifies credentials and keeps them.</summary>
internal sealed class LoginCommand : Verb
{
    private readonly Argument<string?> _registry = new("REGISTRY")
    {
        Description = "The registry, or a namespace or repository in one.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _certDirectory = new("--cert-dir")
    {
        Description = "Pathname of a directory containing TLS certificates",
        HelpName = "Pathname",
    };

    private readonly Option<bool> _getLogin = new("--get-login") { Description = "Return the current login user for the registry" };

    private readonly Option<string?> _password = new("--password", "-p") { Description = "Password for registry", HelpName = "string" };

    private readonly Option<bool> _passwordFromInput = new("--password-stdin") { Description = "Take the password from stdin" };

    private readonly Option<bool?> _tlsVerify = new("--tls-verify")
    {
        Description = "Require HTTPS and verify certificates when contacting registries (default true, where registries.conf says nothing else)",
    };

    private readonly Option<string?> _user = new("--username", "-u") { Description = "Username for registry", HelpName = "string" };

    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Write more detailed information to stdout" };

    private readonly LoginFlags _file;

    public LoginCommand()
        : base("login", "Log in to a container registry")
    {
        Details = "Has the registry verify a user name and a password, and keeps them for later. What is not given is asked for.\n\n"
            + "They are kept in $XDG_CONFIG_HOME/containers/auth.json, where podman, skopeo and buildah look, too, or in the file that "
            + "--authfile, REGISTRY_AUTH_FILE or --compat-auth-file names. Where that file names a credential helper, the helper keeps them. "
            + "A token server that gives an identity token has that kept in place of the password.";
        Operands = "[REGISTRY]";
        Examples =
        [
            "login quay.io",
            "login -u tester --password-stdin localhost:5000 < password.txt",
            "login --authfile ./auth.json quay.io/team",
        ];
        Add(_registry);
        _file = new LoginFlags(this);
        Add(_certDirectory);
        Add(_getLogin);
        Add(_password);
        Add(_passwordFromInput);
        Add(_tlsVerify);
        Add(_user);
        Add(_verbose);
        SetAction(LoginAsync);
    }

    private async Task<int> LoginAsync(ParseResult command, CancellationToken cancellationToken)
    {
        RegistryEndpoint endpoint = LoginFlags.Endpoint(command.GetValue(_registry), "log in to");
        TextWriter output = command.InvocationConfiguration.Output;
        TextWriter error = command.InvocationConfiguration.Error;
        Linux.Credentials.Conceal(); // no core file with a password in it
        RegistryOptions options = new()
        {
            AuthFile = _file.ReadName(command),
            CertDirectory = command.GetValue(_certDirectory),
            RegistriesConf = Global.RegistriesConf,
            RegistriesConfDirectory = Global.RegistriesConfDirectory,
            TlsVerify = command.GetValue(_tlsVerify),
        };
        using RegistrySession session = new(Global, options, error);
        RegistryLogin login = new(endpoint, session.Context);
        AuthFile file = _file.ReadFile(command);
        Credentials? present = await login.FindAsync(cancellationToken);
        if (command.GetValue(_getLogin))
        {
            await output.WriteLineAsync(present is { User.Length: > 0 }
                ? Printable.Escape(present.User)
                : throw new OciException($"not logged into {endpoint.Name}"));
            return ExitCode.Success;
        }

        string? password = ReadPassword(command);
        if (command.GetValue(_user) is null && password is null && present is not null
            && await IsStillValidAsync(login, present, endpoint, output, cancellationToken))
        {
            return ExitCode.Success;
        }

        string user = command.GetValue(_user) is { Length: > 0 } given ? given
            : await LoginPrompt.UserAsync(output, present?.User, cancellationToken);
        password = string.IsNullOrEmpty(password) ? await LoginPrompt.PasswordAsync(output, cancellationToken) : password;
        Credentials verified = await VerifyAsync(login, new Credentials(user.Trim(), password), endpoint, cancellationToken);
        string place = await file.StoreAsync(endpoint, verified, FileReplacement.Edit, cancellationToken);
        if (command.GetValue(_verbose))
        {
            await output.WriteLineAsync($"Used:  {place}");
        }

        if (await login.FindHidingAsync(verified, cancellationToken) is { } hiding)
        {
            await error.WriteLineAsync($"Warning: other credentials for {endpoint.Name} are found before these: those of {hiding}");
        }

        await output.WriteLineAsync("Login Succeeded!");
        return ExitCode.Success;
    }

    private string? ReadPassword(ParseResult command)
    {
        string? password = command.GetValue(_password);
        if (!command.GetValue(_passwordFromInput))
        {
            if (password is not null)
            {
                command.InvocationConfiguration.Error.WriteLine("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
            }

            return password;
        }

        return password is not null ? throw new UsageException("Can't specify both --password-stdin and --password")
            : command.GetValue(_user) is null ? throw new UsageException("Must provide --username with --password-stdin")
            : LoginPrompt.ReadInput();
    }

    private static async Task<bool> IsStillValidAsync(
        RegistryLogin login, Credentials present, RegistryEndpoint endpoint, TextWriter output, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync($"Authenticating with existing credentials for {endpoint.Name}");
        try
        {
            await login.VerifyAsync(present, cancellationToken);
        }
        catch (RegistryException e) when (e.IsRefusal)
        {
            await output.WriteLineAsync("Existing credentials are invalid, please enter valid username and password");
            return false;
        }

        await output.WriteLineAsync($"Existing credentials are valid. Already logged in to {endpoint.Name}");
        return true;
    }

    private static async Task<Credentials> VerifyAsync(
        RegistryLogin login, Credentials credentials, RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            return await login.VerifyAsync(credentials, cancellationToken);
        }
        catch (RegistryException e) when (e.IsRefusal)
        {
            throw new OciException($"logging into \"{endpoint.Name}\": invalid username/password", e);
        }
        catch (RegistryException e)
        {
            throw new OciException($"authenticating creds for \"{endpoint.Name}\": {e.Message}", e) { Hint = e.Hint };
        }
    }
}
