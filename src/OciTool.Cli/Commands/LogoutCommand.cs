using System.CommandLine;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary><c>oci logout REGISTRY</c>: forgets credentials.</summary>
internal sealed class LogoutCommand : Verb
{
    private readonly Argument<string?> _registry = new("REGISTRY")
    {
        Description = "The registry, or a namespace or repository in one.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Remove the cached credentials for all registries in the auth file" };

    private readonly LoginFlags _file;

    public LogoutCommand()
        : base("logout", "Log out of a container registry")
    {
        Details = "Removes credentials from the file that login writes, or from the credential helper that the file names.";
        Operands = "[REGISTRY]";
        Examples = ["logout quay.io", "logout --all"];
        Add(_registry);
        Add(_all);
        _file = new LoginFlags(this);
        SetAction(LogoutAsync);
    }

    private async Task<int> LogoutAsync(ParseResult command, CancellationToken cancellationToken)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        AuthFile file = _file.ReadFile(command);
        if (_file.ReadName(command) is { } named && !File.Exists(named))
        {
            throw new OciException($"auth file {named}: no such file");
        }

        if (command.GetValue(_all))
        {
            if (command.GetValue(_registry) is not null)
            {
                throw new UsageException("--all takes no arguments");
            }

            await file.RemoveAllAsync(FileReplacement.Edit, cancellationToken);
            await output.WriteLineAsync("Removed login credentials for all registries");
            return ExitCode.Success;
        }

        RegistryEndpoint endpoint = LoginFlags.Endpoint(command.GetValue(_registry), "log out from");
        if (await file.RemoveAsync(endpoint, FileReplacement.Edit, cancellationToken))
        {
            await output.WriteLineAsync($"Removed login credentials for {endpoint.Name}");
            return ExitCode.Success;
        }

        using RegistrySession session = new(
            Global, new RegistryOptions { AuthFile = _file.ReadName(command) }, command.InvocationConfiguration.Error);
        Credentials other = await new RegistryLogin(endpoint, session.Context).FindAsync(cancellationToken)
            ?? throw new OciException($"not logged into {endpoint.Name}");
        await output.WriteLineAsync(
            $"Not logged into {endpoint.Name} with current tool. Existing credentials are those of {other.Source}: name their file with --authfile to remove them.");
        return ExitCode.Success;
    }
}
