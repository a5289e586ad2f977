using System.CommandLine;
using System.Text.Json;
using OciTool.Images;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Cli.ContainerRuntime;

/// <summary><c>features</c>: what the runtime can do.</summary>
internal sealed class FeaturesVerb : RuntimeVerb
{
    public FeaturesVerb()
        : base("features", "Print what the runtime can do as JSON")
    {
        Operands = "";
        SetAction(command =>
        {
            Print(command, json => JsonSerializer.Serialize(json, Features.OfThisRuntime(), FeaturesJson.Default.Features), indented: true);
            return ExitCode.Success;
        });
    }
}

/// <summary><c>spec</c>: writes a configuration to begin with.</summary>
internal sealed class SpecVerb : RuntimeVerb
{
    public SpecVerb()
        : base("spec", "Write a config.json to begin with")
    {
        Operands = "";
        Option<string> bundle = With<string>("--bundle", "The directory of the bundle", "-b");
        SetAction(command =>
        {
            string path = System.IO.Path.Join(command.GetValue(bundle) ?? ".", Bundle.FileName);
            if (File.Exists(path))
            {
                throw new OciException($"File {Printable.Shorten(path)} exists. Remove it first");
            }

            using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
            using Utf8JsonWriter writer = new(file, new JsonWriterOptions { Indented = true });
            RuntimeJson.Write(writer, SpecTemplate.Make());
            return ExitCode.Success;
        });
    }
}
