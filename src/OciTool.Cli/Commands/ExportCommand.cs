using System.CommandLine;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci export CONTAINER</c>: writes all files of a container as one tar archive.</summary>
internal sealed class ExportCommand : Verb
{
    private readonly Argument<string> _container = new("CONTAINER") { Description = "The container's name or ID." };

    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Write to a specified file (default: stdout, which must be redirected)",
        HelpName = "string",
    };

    public ExportCommand()
        : base("export", "Export container's filesystem contents as a tar archive")
    {
        Details = "Writes the tree that a container sees as its root, image and changes together, as a tar archive without layers. What is mounted in the container is "
            + "not part of it, nor are sockets. A container may be exported while it runs; what it writes meanwhile may be in the archive or not.";
        Operands = "CONTAINER";
        Examples = ["export ctrID > myCtr.tar", "export --output myCtr.tar ctrID"];
        OperandKind = OperandKind.Container;
        Add(_container);
        Add(_output);
        SetAction(ExportAsync);
    }

    private async Task<int> ExportAsync(ParseResult command, CancellationToken cancellationToken)
    {
        string? file = command.GetValue(_output);
        TextWriter error = command.InvocationConfiguration.Error;
        if (file is null && !Console.IsOutputRedirected)
        {
            throw new UsageException("refusing to export to terminal. Use -o flag or redirect");
        }

        ContainerTree container = ContainerTree.Open(Global.OpenStore(), command.GetRequiredValue(_container));
        using RootDirectory tree = container.MountView();
        if (file is null)
        {
            using StandardOutput standard = new(1);
            using BufferedStream output = new(standard, 1 << 20);
            Write(tree, output, error);
            return ExitCode.Success;
        }

        try
        {
            await OutputFile.WriteAsync(file, output =>
            {
                Write(tree, output, error);
                return Task.CompletedTask;
            });
        }
        catch (Exception e) when (e is DirectoryNotFoundException or UnauthorizedAccessException)
        {
            string cause = e is DirectoryNotFoundException ? "no such file or directory" : "permission denied";
            throw new OciException($"creating file \"{Printable.Escape(file)}\": open {Printable.Escape(file)}: {cause}", e);
        }

        return ExitCode.Success;
    }

    private static void Write(RootDirectory tree, Stream output, TextWriter error)
    {
        new TreeArchive(output, warning => error.Write($"Warning: {warning}\n"), latest: null).WriteTree(tree, withRoot: false);
        output.Flush();
    }
}
