using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OciTool.Cli.ContainerRuntime;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>One <c>--change</c>: an instruction of a Dockerfile that changes how containers of an image are started.</summary>
/// <param name="Instruction">In capitals.</param>
/// <param name="Value">What stands behind it.</param>
/// <param name="Text">As it was typed.</param>
internal sealed record ImageChange(string Instruction, string Value, string Text)
{
    /// <summary>Reads a change, and applies it to nothing, so that a mistake is found before any work.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static ImageChange Parse(string text)
    {
        string[] parts = text.Split(' ', 2);
        parts = parts.Length == 2 ? parts : text.Split('=', 2);
        if (parts.Length != 2)
        {
            throw new UsageException($"invalid change {Quote(text)} - must be formatted as KEY VALUE");
        }

        ImageChange change = new(parts[0].Trim().ToUpperInvariant(), parts[1].Trim(), text);
        change.Apply([]);
        return change;
    }

    /// <summary>Applies it.</summary>
    /// <param name="config">The member <c>config</c> of an image's config.</param>
    /// <exception cref="UsageException">It is not an instruction that can be applied.</exception>
    public void Apply(JsonObject config)
    {
        switch (Instruction)
        {
            case "CMD":
                Set(config, "Cmd", Words());
                break;
            case "ENTRYPOINT":
                Set(config, "Entrypoint", Words());
                break;
            case "ENV":
                SetVariable(config);
                break;
            case "EXPOSE":
                AddTo(config, "ExposedPorts", [Port()]);
                break;
            case "LABEL":
                SetLabel(config);
                break;
            case "ONBUILD":
                Append(config, "OnBuild", Needed("ONBUILD must have a value"));
                break;
            case "STOPSIGNAL":
                config["StopSignal"] = Signal();
                break;
            case "USER":
                config["User"] = Needed("must provide a value to USER");
                break;
            case "VOLUME":
                string[] volumes = AsArray() ?? Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                AddTo(config, "Volumes", volumes.Length > 0 ? volumes : throw Invalid("VOLUME needs at least one argument"));
                break;
            case "WORKDIR":
                config["WorkingDir"] = Needed("must provide a non-empty WORKDIR");
                break;
            default:
                throw Invalid($"invalid instruction {Printable.Shorten(Instruction)}");
        }
    }

    // a JSON array, else words for a shell
    private string[] Words() => AsArray() ?? (Value.Length == 0 ? [] : ["/bin/sh", "-c", Value]);

    private string[]? AsArray()
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(Value);
            return document.RootElement.ValueKind == JsonValueKind.Array
                && document.RootElement.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String)
                ? [.. document.RootElement.EnumerateArray().Select(element => element.GetString()!)]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string Port()
    {
        string[] parts = Value.Split('/');
        if (parts.Length > 2)
        {
            throw Invalid("EXPOSE port must be formatted as PORT[/PROTO]");
        }

        if (!int.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int port))
        {
            throw Invalid($"EXPOSE port must be an integer: strconv.Atoi: parsing {Quote(parts[0])}: invalid syntax");
        }

        if (port is <= 0 or > 65535)
        {
            throw Invalid("EXPOSE port must be a valid port number");
        }

        string protocol = parts.Length == 2 ? parts[1].ToLowerInvariant() : "tcp";
        return protocol is "tcp" or "udp"
            ? string.Create(CultureInfo.InvariantCulture, $"{port}/{protocol}")
            : throw Invalid("EXPOSE protocol must be TCP or UDP");
    }

    private string Signal()
    {
        try
        {
            return SignalName.Parse(Value).ToString(CultureInfo.InvariantCulture);
        }
        catch (OciException)
        {
            throw Invalid($"KILLSIGNAL must be given a valid signal: invalid signal: {Printable.Shorten(Value)}");
        }
    }

    private void SetVariable(JsonObject config)
    {
        string[] parts = Value.Split('=', 2);
        string name = Unquote(parts[0]);
        if (name.Length == 0)
        {
            throw Invalid("ENV must have at least one argument");
        }

        string variable = $"{name}={(parts.Length == 2 ? Unquote(parts[1]) : "")}";
        if (config["Env"] is JsonArray variables)
        {
            for (int i = variables.Count - 1; i >= 0; i--)
            {
                if (variables[i]?.GetValue<string>().StartsWith($"{name}=", StringComparison.Ordinal) == true)
                {
                    variables.RemoveAt(i);
                }
            }
        }

        Append(config, "Env", variable);
    }

    private void SetLabel(JsonObject config)
    {
        string[] parts = Value.Split('=', 2);
        if (parts.Length != 2)
        {
            throw Invalid("LABEL must be formatted key=value");
        }

        string key = Unquote(parts[0]);
        if (key.Length == 0)
        {
            throw Invalid("LABEL must have a non-empty key");
        }

        JsonObject labels = ObjectOf(config, "Labels");
        labels[key] = Unquote(parts[1]);
    }

    private string Needed(string otherwise) => Value.Length > 0 ? Value : throw Invalid(otherwise);

    private UsageException Invalid(string cause) => new($"invalid change {Quote(Text)} - {cause}");

    private static string Unquote(string text) => text.Length >= 2 && text[0] == '"' && text[^1] == '"' ? text[1..^1] : text;

    private static string Quote(string text) => $"\"{Printable.Shorten(text).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static void Set(JsonObject config, string key, string[] words)
    {
        if (words.Length == 0)
        {
            config.Remove(key);
        }
        else
        {
            config[key] = new JsonArray([.. words.Select(word => (JsonNode)word)]);
        }
    }

    private static void Append(JsonObject config, string key, string value)
    {
        if (config[key] is not JsonArray array)
        {
            config[key] = array = [];
        }

        array.Add((JsonNode)value);
    }

    private static void AddTo(JsonObject config, string key, string[] members)
    {
        JsonObject set = ObjectOf(config, key);
        foreach (string member in members)
        {
            set[member] = new JsonObject();
        }
    }

    private static JsonObject ObjectOf(JsonObject config, string key)
    {
        if (config[key] is not JsonObject found)
        {
            config[key] = found = [];
        }

        return found;
    }
}
