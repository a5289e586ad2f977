using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OciTool.Cli.Output;
using OciTool.Images;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Cli.ContainerRuntime;

/// <summary><c>list</c>: the containers.</summary>
internal sealed class ListVerb : RuntimeVerb
{
    public ListVerb()
        : base("list", "List the containers of this runtime")
    {
        Operands = "";
        Option<bool> quiet = With<bool>("--quiet", "Print IDs only", "-q");
        Option<string> format = With<string>("--format", "The format: table or json (default \"table\")", "-f");
        SetAction(command =>
        {
            List<StateSpec> states = [.. RuntimeContainer.All(Runtime.States).Select(container => container.State)];
            TextWriter output = command.InvocationConfiguration.Output;
            switch (command.GetValue(format))
            {
                case var _ when command.GetValue(quiet):
                    states.ForEach(state => output.Write($"{state.Id}\n"));
                    break;
                case "json":
                    Print(
                        command,
                        json =>
                        {
                            json.WriteStartArray();
                            states.ForEach(state => RuntimeJson.Write(json, state));
                            json.WriteEndArray();
                        },
                        indented: false);
                    break;
                case null or "table":
                    WriteTable(states, output);
                    break;
                case { } other:
                    throw new OciException($"invalid format option '{Printable.Shorten(other)}'");
            }

            return ExitCode.Success;
        });
    }

    private static void WriteTable(List<StateSpec> states, TextWriter output)
    {
        string[][] rows =
        [
            ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
            .. states.Select(state => (string[])
            [
                state.Id, state.Pid.ToString(CultureInfo.InvariantCulture), state.Status, Printable.Escape(state.Bundle),
                state.Created?.ToString("O", CultureInfo.InvariantCulture) ?? "", "root",
            ]),
        ];
        int[] widths = [.. Enumerable.Range(0, 6).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            output.Write(string.Join("   ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd() + "\n");
        }
    }
}

/// <summary><c>ps</c>: the processes of a container.</summary>
internal sealed class RuntimePsVerb : RuntimeVerb
{
    private readonly Argument<string[]> _options = new("OPTION")
    {
        Description = "Options for ps(1).",
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true,
    };

    public RuntimePsVerb()
        : base("ps", "List the processes of a container")
    {
        Operands = "CONTAINER [PS-OPTION...]";
        OptionsEndAtOperand = true;
        Add(Id);
        Add(_options);
        Option<string> format = With<string>("--format", "The format: table or json (default \"table\")", "-f");
        SetAction(command =>
        {
            List<int> processes = [.. Find(command).Groups?.Processes ?? []];
            TextWriter output = command.InvocationConfiguration.Output;
            switch (command.GetValue(format))
            {
                case "json":
                    output.Write($"[{string.Join(',', processes)}]\n");
                    break;
                case null or "table":
                    WriteTable(processes, command.GetValue(_options) ?? [], output);
                    break;
                case { } other:
                    throw new OciException($"invalid format option '{Printable.Shorten(other)}'");
            }

            return ExitCode.Success;
        });
    }

    // ps(1) of the host knows the columns; its lines are chosen by the one that is called PID
    private static void WriteTable(List<int> processes, string[] options, TextWriter output)
    {
        using Process ps = Process.Start(new ProcessStartInfo("ps", options.Length > 0 ? options : ["-ef"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        string[] lines = ps.StandardOutput.ReadToEnd().Split('\n');
        ps.WaitForExit();
        int column = Array.IndexOf(lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries), "PID");
        if (column < 0)
        {
            throw new OciException("couldn't find PID field in ps output");
        }

        output.Write($"{lines[0]}\n");
        foreach (string line in lines.Skip(1))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > column && int.TryParse(fields[column], out int id) && processes.Contains(id))
            {
                output.Write($"{line}\n");
            }
        }
    }
}

/// <summary><c>events</c>: the use of resources, once or again and again.</summary>
internal sealed class EventsVerb : RuntimeVerb
{
    public EventsVerb()
        : base("events", "Print the use of resources of a container")
    {
        Add(Id);
        Option<bool> once = With<bool>("--stats", "Print once");
        Option<string> interval = With<string>("--interval", "The time between two prints, such as 5s (default \"5s\")");
        SetAction(command =>
        {
            string id = command.GetRequiredValue(Id);
            TimeSpan pause = GoDuration.Parse(command.GetValue(interval) ?? "5s");
            long kills = 0;
            do
            {
                RuntimeContainer container = Find(command);
                if (container.Status == "stopped")
                {
                    return command.GetValue(once) ? throw new OciException($"container with id {id} is not running") : ExitCode.Success;
                }

                Cgroup groups = container.Groups ?? throw new OciException("the container has no cgroup");
                long before = kills;
                kills = groups.OomKills;
                if (!command.GetValue(once) && kills > before)
                {
                    Write(command, "oom", id, "");
                }

                Write(command, "stats", id, $",\"data\":{JsonSerializer.Serialize(groups.ReadStatistics(), CgroupJson.Default.CgroupStatistics)}");
                if (!command.GetValue(once))
                {
                    Thread.Sleep(pause);
                }
            }
            while (!command.GetValue(once));

            return ExitCode.Success;
        });
    }

    private static void Write(ParseResult command, string type, string id, string data)
    {
        command.InvocationConfiguration.Output.Write($"{{\"type\":\"{type}\",\"id\":\"{id}\"{data}}}\n");
        command.InvocationConfiguration.Output.Flush();
    }
}
