using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary>The options that choose how a transfer is shown.</summary>
internal sealed class ProgressFlags
{
    private readonly Option<string> _progress = new("--progress")
    {
        Description = "How to show progress (auto, plain, json, none); auto draws on a terminal and is plain elsewhere (default \"auto\")",
        HelpName = "string",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<bool> _quiet;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="doing">What it does to images.</param>
    public ProgressFlags(Command verb, string doing = "pulling")
    {
        _quiet = new Option<bool>("--quiet", "-q") { Description = $"Suppress output information when {doing} images" };
        verb.Add(_progress);
        verb.Add(_quiet);
    }

    /// <summary><c>auto</c>, <c>plain</c>, <c>json</c> or <c>none</c>.</summary>
    /// <exception cref="UsageException">It is another word.</exception>
    public string Read(ParseResult command)
    {
        if (command.GetValue(_quiet))
        {
            return "none";
        }

        string progress = command.GetValue(_progress)!;
        return progress is "auto" or "plain" or "json" or "none"
            ? progress
            : throw new UsageException($"unsupported progress '{Images.Printable.Shorten(progress)}', choose from: auto, plain, json, none");
    }
}
