using System.CommandLine;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>The options by which logging in and out choose their file.</summary>
internal sealed class LoginFlags
{
    private readonly Option<string?> _authFile = new("--authfile")
    {
        Description = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override",
        HelpName = "string",
    };

    private readonly Option<string?> _compatAuthFile = new("--compat-auth-file")
    {
        Description = "Path of a Docker-compatible config file to update instead",
        HelpName = "string",
    };

    /// <summary>Adds the options to a verb.</summary>
    public LoginFlags(Command verb)
    {
        verb.Add(_authFile);
        verb.Add(_compatAuthFile);
    }

    /// <summary>The registry that is named; podman's message when there is none.</summary>
    /// <param name="text">The operand.</param>
    /// <param name="what">What is to be done with it.</param>
    public static RegistryEndpoint Endpoint(string? text, string what) =>
        text is null ? throw new UsageException($"please provide a registry to {what}") : RegistryEndpoint.Parse(text);

    /// <summary>The file to change.</summary>
    public AuthFile ReadFile(ParseResult command) =>
        AuthFile.Choose(new RegistryOptions { AuthFile = command.GetValue(_authFile) }, command.GetValue(_compatAuthFile), TimeProvider.System);

    /// <summary>The only file to read; null for all of them.</summary>
    public string? ReadName(ParseResult command) => command.GetValue(_compatAuthFile) ?? command.GetValue(_authFile);
}
