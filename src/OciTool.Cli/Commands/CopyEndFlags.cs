using System.CommandLine;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>The options of one end of a copy between registries; what they leave open, the options for both ends say.</summary>
internal sealed class CopyEndFlags
{
    private readonly Option<string?> _authFile;
    private readonly Option<string?> _certDirectory;
    private readonly Option<string?> _credentials;
    private readonly Option<bool?> _tlsVerify;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="end"><c>src</c> or <c>dest</c>.</param>
    /// <param name="registry">How an error and the help call it.</param>
    public CopyEndFlags(Command verb, string end, string registry)
    {
        _authFile = new($"--{end}-authfile") { Description = $"Path of the authentication file for the {registry} registry", HelpName = "string" };
        _certDirectory = new($"--{end}-cert-dir")
        {
            Description = $"Pathname of a directory containing TLS certificates for the {registry} registry",
            HelpName = "Pathname",
        };
        _credentials = new($"--{end}-creds") { Description = $"Credentials (USERNAME:PASSWORD) for the {registry} registry", HelpName = "Credentials" };
        _tlsVerify = new($"--{end}-tls-verify") { Description = $"Require HTTPS and verify certificates of the {registry} registry (default true)" };
        verb.Add(_authFile);
        verb.Add(_certDirectory);
        verb.Add(_credentials);
        verb.Add(_tlsVerify);
    }

    /// <summary>What the command line says for this end.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="both">What it says for both.</param>
    public RegistryOptions Read(ParseResult command, RegistryOptions both) => both with
    {
        AuthFile = command.GetValue(_authFile) ?? both.AuthFile,
        CertDirectory = command.GetValue(_certDirectory) ?? both.CertDirectory,
        Credentials = command.GetValue(_credentials) is { } credentials ? Credentials.Parse(credentials) : both.Credentials,
        TlsVerify = command.GetValue(_tlsVerify) ?? both.TlsVerify,
    };
}
