using System.CommandLine;
using System.Runtime.InteropServices;
using OciTool.Cli.Output;
using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;

namespace OciTool.Cli.Commands;

/// <summary><c>oci version</c>: prints what was built.</summary>
internal sealed class VersionCommand : Verb
{
    private readonly Option<string?> _format = new("--format", "-f") { Description = "Print the output in JSON or by a Go template" };

    public VersionCommand()
        : base("version", "Display the version of oci")
    {
        Details = "Prints the version of oci and the platform that it was built for.";
        Examples = ["version", "version --format json", "version --format '{{.Client.Version}}'"];
        TemplateFields = ["Client.APIVersion", "Client.BuiltTime", "Client.Os", "Client.OsArch", "Client.Version"];
        Add(_format);
        SetAction(Run);
    }

    private int Run(ParseResult command)
    {
        TextWriter output = command.InvocationConfiguration.Output;
        VersionReport report = new(VersionInformation.OfThisBuild());
        switch (command.GetValue(_format))
        {
            case null:
                VersionInformation client = report.Client;
                output.Write($"Client:       oci\nVersion:      {client.Version}\nAPI Version:  {client.APIVersion}\n");
                output.Write($"Runtime:      {RuntimeInformation.FrameworkDescription}\nOS/Arch:      {client.OsArch}\n");
                break;
            case "json":
                JsonOutput.Write(output, report, OutputJson.Default.VersionReport, JsonLayout.Line);
                break;
            case var format:
                RowFormat.WriteOne(
                    "version", format, output, TemplateValue.Of(report, OutputJson.Default.VersionReport, "types.SystemVersionReport"));
                break;
        }

        return ExitCode.Success;
    }
}
