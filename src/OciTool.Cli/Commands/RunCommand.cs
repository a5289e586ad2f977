using System.CommandLine;

namespace OciTool.Cli.Commands;

/// <summary><c>oci run IMAGE [COMMAND...]</c>: makes a container of an image and waits for its command.</summary>
internal sealed class RunCommand : NewContainerVerb
{
    private readonly Option<bool> _signalProxy = new("--sig-proxy")
    {
        Description = "Proxy received signals to the process (default true)",
        DefaultValueFactory = _ => true,
    };

    public RunCommand()
        : base("run", "Run a command in a new container")
    {
        Details = "Makes a container of an image and waits for its command to end. The image is pulled when it is not there.\n\n"
            + "The exit status is that of the command; 125 when oci fails itself, 126 when the command cannot be invoked, "
            + "127 when it is not found, and 128 plus the signal's number when a signal ended it.";
        Examples =
        [
            "run --rm quay.io/fedora/fedora:34 cat /etc/redhat-release",
            "run -it --rm -e EDITOR=vi -v /srv/data:/data:ro alpine sh",
            "run --rm --network none --read-only --user 1000:1000 alpine id",
        ];
        OwnsSignals = true; // they go to the container
        Add(_signalProxy);
        SetAction(command => ReadContainer(command, command.GetValue(_signalProxy)).Run(ReadImage(command), () => Pull(command)));
    }
}
