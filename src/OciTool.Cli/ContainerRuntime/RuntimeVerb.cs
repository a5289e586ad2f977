using System.CommandLine;
using System.Text;
using System.Text.Json;
using OciTool.Runtime.Lifecycle;

namespace OciTool.Cli.ContainerRuntime;

/// <summary>A verb of the runtime's command line.</summary>
internal abstract class RuntimeVerb : Verb
{
    /// <summary>Creates a verb.</summary>
    /// <param name="name">How it is called.</param>
    /// <param name="summary">One line for lists of verbs, without a full stop.</param>
    protected RuntimeVerb(string name, string summary)
        : base(name, summary) => Operands = "CONTAINER";

    /// <summary>The options before the verb.</summary>
    public RuntimeOptions Runtime { get; set; } = new();

    /// <summary>The argument that names a container.</summary>
    protected Argument<string> Id { get; } = new("CONTAINER") { Description = "The container's ID." };

    /// <summary>The container that the command line names.</summary>
    /// <exception cref="Images.OciException">There is none.</exception>
    protected RuntimeContainer Find(ParseResult command) => RuntimeContainer.Find(Runtime.States, command.GetRequiredValue(Id));

    /// <summary>Adds an option and returns it.</summary>
    protected Option<T> With<T>(string name, string description, params string[] aliases)
    {
        Option<T> option = new(name, aliases) { Description = description };
        Add(option);
        return option;
    }

    /// <summary>Prints a document, indented where it is for people.</summary>
    protected static void Print(ParseResult command, Action<Utf8JsonWriter> write, bool indented)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = indented }))
        {
            write(writer);
        }

        command.InvocationConfiguration.Output.Write($"{Encoding.UTF8.GetString(stream.ToArray())}\n");
    }
}
