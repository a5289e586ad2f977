using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary><c>oci create IMAGE [COMMAND...]</c>: makes a container of an image, to be started later.</summary>
internal sealed class CreateCommand : NewContainerVerb
{
    private readonly Option<string[]> _attach = new("--attach", "-a") { Description = "Attach to STDIN, STDOUT or STDERR: a matter of start, accepted and not used", HelpName = "strings" };

    public CreateCommand()
        : base("create", "Create but do not start a container")
    {
        Details = "Makes a container of an image as run does, and prints its ID. oci start --attach runs it.";
        Examples = ["create alpine ls", "create -t -i --name myctr alpine sh"];
        Add(_attach);
        SetAction(command =>
        {
            string id = ReadContainer(command, signalProxy: false).Create(ReadImage(command), () => Pull(command));
            command.InvocationConfiguration.Output.Write($"{id}\n");
            return ExitCode.Success;
        });
    }
}
