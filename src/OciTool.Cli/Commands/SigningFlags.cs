using System.CommandLine;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The options about signatures of verbs that copy to a registry: none is made, and none is copied.</summary>
internal sealed class SigningFlags
{
    private readonly Option<bool> _remove = new("--remove-signatures")
    {
        Description = "Discard any pre-existing signatures in the image (always so: signatures are not copied)",
    };

    private readonly Option<string?> _signBy = new("--sign-by")
    {
        Description = "Not supported: images are not signed here",
        HelpName = "string",
    };

    private readonly Option<string?> _signByKey = new("--sign-by-sigstore-private-key")
    {
        Description = "Not supported: images are not signed here",
        HelpName = "PATH",
    };

    /// <summary>Adds the options to a verb.</summary>
    public SigningFlags(Command verb)
    {
        verb.Add(_remove);
        verb.Add(_signBy);
        verb.Add(_signByKey);
    }

    /// <summary>Ends a verb that was asked to sign before it does anything.</summary>
    /// <exception cref="UsageException">It was.</exception>
    public void Refuse(ParseResult command)
    {
        if (command.GetValue(_signBy) is not null || command.GetValue(_signByKey) is not null)
        {
            throw new UsageException("signing images is not supported") { Hint = "sign what was pushed with cosign or podman" };
        }
    }
}
