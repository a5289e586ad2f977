using System.CommandLine;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The option that writes the digest of what was copied to a file.</summary>
internal sealed class DigestFileFlag
{
    private readonly Option<string?> _file;

    /// <summary>Adds the option to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="copied">What it has done to the image.</param>
    public DigestFileFlag(Command verb, string copied)
    {
        _file = new("--digestfile") { Description = $"Write the digest of the {copied} image to the specified file", HelpName = "string" };
        verb.Add(_file);
    }

    /// <summary>Writes the digest, where the command line wants it.</summary>
    /// <exception cref="OciException">The file cannot be written.</exception>
    public void Write(ParseResult command, Digest digest)
    {
        if (command.GetValue(_file) is not { } file)
        {
            return;
        }

        try
        {
            File.WriteAllText(file, digest.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"digest file '{Printable.Shorten(file)}' cannot be written: {e.Message}", e);
        }
    }
}
