using OciTool.Runtime.Processes;

namespace OciTool.Cli;

/// <summary>The stages of a launch for which this binary re-executes itself; they see no command line parser.</summary>
internal static class Stages
{
    /// <summary>The stage that a first argument names; null for the command line of a user.</summary>
    /// <param name="name">The first argument.</param>
    public static Func<string[], int>? Find(string name) => name switch
    {
        InitProcess.Verb => static args => InitProcess.Run(args),
        JoinProcess.Verb => static args => JoinProcess.Run(args),
        _ => null,
    };
}
