using System.Globalization;
using System.Text;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Makes the config of an image of the <c>json</c> of its layers, byte for byte as <c>docker load</c> does: so its ID is docker's.</summary>
/// <remarks>
/// moby 20.10, image/v1/imagev1.go, <c>MakeConfigFromV1Config</c>: of docker 1.8.3 and later the topmost <c>json</c> is kept as it is written; an older one is
/// first read and written again, which drops what is not known. Where a tool has left out the architecture or the
/// system, which every config must have, docker's of that time are filled in.
/// </remarks>
internal static class LegacyConfig
{
    private static readonly string[] LayerOnly = ["id", "parent", "Size", "parent_id", "layer_id", "throwaway"];

    /// <summary>The config of an image.</summary>
    /// <param name="top">The <c>json</c> of its topmost layer.</param>
    /// <param name="history">What <see cref="History"/> makes of each layer, base first.</param>
    /// <param name="diffIds">The digests of the uncompressed layers, base first.</param>
    internal static byte[] Make(JsonElement top, IEnumerable<string> history, IEnumerable<Digest> diffIds)
    {
        SortedDictionary<string, string> members = new(StringComparer.Ordinal);
        foreach ((string name, string value) in IsOld(Text(top, "docker_version")) ? Rewritten(top) : AsWritten(top))
        {
            members[name] = value;
        }

        foreach (string name in LayerOnly)
        {
            members.Remove(name);
        }

        members.TryAdd("architecture", "\"amd64\"");
        members.TryAdd("os", "\"linux\"");
        string[] digests = [.. diffIds.Select(digest => $"\"{digest}\"")];
        members["rootfs"] = digests.Length == 0 ? """{"type":"layers"}""" : $$"""{"type":"layers","diff_ids":[{{string.Join(',', digests)}}]}""";
        members["history"] = $"[{string.Join(',', history)}]";
        return Encoding.UTF8.GetBytes($"{{{string.Join(',', members.Select(member => $"{GoJson.Quote(member.Key)}:{member.Value}"))}}}");
    }

    /// <summary>One step of the history, of the <c>json</c> of its layer. Each has a layer: the format has no steps without one.</summary>
    internal static string History(JsonElement layer)
    {
        StringBuilder json = new($"{{\"created\":{Time(layer)}");
        string command = Value(layer, "container_config") is { } container ? string.Join(' ', Words(container, "Cmd") ?? []) : "";
        AppendText(json, "author", Text(layer, "author"));
        AppendText(json, "created_by", command);
        AppendText(json, "comment", Text(layer, "comment"));
        return json.Append('}').ToString();
    }

    private static IEnumerable<(string Name, string Value)> AsWritten(JsonElement top) =>
        top.EnumerateObject().Select(member => (member.Name, GoJson.Compact(member.Value.GetRawText())));

    private static IEnumerable<(string Name, string Value)> Rewritten(JsonElement top)
    {
        yield return ("created", Time(top));
        yield return ("container_config", Container(Value(top, "container_config")));
        if (Value(top, "config") is { } config)
        {
            yield return ("config", Container(config));
        }

        foreach (string name in (string[])["comment", "container", "docker_version", "author", "architecture", "variant", "os"])
        {
            if (Text(top, name) is { Length: > 0 } text)
            {
                yield return (name, GoJson.Quote(text));
            }
        }
    }

    /// <summary>Docker's <c>container.Config</c>, in the order of its fields.</summary>
    private static string Container(JsonElement? container)
    {
        StringBuilder json = new("{");
        Append("Hostname", GoJson.Quote(Text(container, "Hostname")));
        Append("Domainname", GoJson.Quote(Text(container, "Domainname")));
        Append("User", GoJson.Quote(Text(container, "User")));
        Append("AttachStdin", Flag("AttachStdin"));
        Append("AttachStdout", Flag("AttachStdout"));
        Append("AttachStderr", Flag("AttachStderr"));
        AppendUnless("{}", "ExposedPorts", Names("ExposedPorts"));
        Append("Tty", Flag("Tty"));
        Append("OpenStdin", Flag("OpenStdin"));
        Append("StdinOnce", Flag("StdinOnce"));
        Append("Env", List(Words(container, "Env")));
        Append("Cmd", List(Words(container, "Cmd")));
        if (Value(container, "Healthcheck") is { } check)
        {
            Append("Healthcheck", Healthcheck(check));
        }

        AppendUnless("false", "ArgsEscaped", Flag("ArgsEscaped"));
        Append("Image", GoJson.Quote(Text(container, "Image")));
        Append("Volumes", Names("Volumes"));
        Append("WorkingDir", GoJson.Quote(Text(container, "WorkingDir")));
        Append("Entrypoint", List(Words(container, "Entrypoint")));
        AppendUnless("false", "NetworkDisabled", Flag("NetworkDisabled"));
        AppendUnless("\"\"", "MacAddress", GoJson.Quote(Text(container, "MacAddress")));
        Append("OnBuild", List(Words(container, "OnBuild")));
        Append("Labels", Labels());
        AppendUnless("\"\"", "StopSignal", GoJson.Quote(Text(container, "StopSignal")));
        AppendUnless("null", "StopTimeout", Value(container, "StopTimeout") is { } timeout ? Number(timeout) : "null");
        AppendUnless("[]", "Shell", List(Words(container, "Shell")));
        return json.Append('}').ToString();

        void Append(string name, string value) => json.Append(json.Length > 1 ? "," : "").Append('"').Append(name).Append("\":").Append(value);

        void AppendUnless(string absent, string name, string value)
        {
            if (value != absent && value != "null")
            {
                Append(name, value);
            }
        }

        string Flag(string name) => Value(container, name) is { } flag && flag.GetBoolean() ? "true" : "false";

        string Names(string name) => Value(container, name) is { } names
            ? $"{{{string.Join(',', names.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal).Select(key => $"{GoJson.Quote(key)}:{{}}"))}}}"
            : "null";

        string Labels() => Value(container, "Labels") is { } labels
            ? $"{{{string.Join(',', labels.EnumerateObject().OrderBy(label => label.Name, StringComparer.Ordinal).Select(label => $"{GoJson.Quote(label.Name)}:{GoJson.Quote(label.Value.GetString() ?? "")}"))}}}"
            : "null";
    }

    private static string Healthcheck(JsonElement check)
    {
        List<string> members = [];
        if (Words(check, "Test") is { Count: > 0 } test)
        {
            members.Add($"\"Test\":{List(test)}");
        }

        foreach (string name in (string[])["Interval", "Timeout", "StartPeriod", "Retries"])
        {
            if (Value(check, name) is { } number && Number(number) is not "0" and var text)
            {
                members.Add($"\"{name}\":{text}");
            }
        }

        return $"{{{string.Join(',', members)}}}";
    }

    private static void AppendText(StringBuilder json, string name, string text)
    {
        if (text.Length > 0)
        {
            json.Append(CultureInfo.InvariantCulture, $",\"{name}\":{GoJson.Quote(text)}");
        }
    }

    private static JsonElement? Value(JsonElement? parent, string name) =>
        parent is { } known && known.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Text(JsonElement? parent, string name) => Value(parent, name)?.GetString() ?? "";

    private static string Number(JsonElement number) => number.GetInt64().ToString(CultureInfo.InvariantCulture);

    private static string List(List<string>? words) => words is null ? "null" : $"[{string.Join(',', words.Select(GoJson.Quote))}]";

    // docker took a command as one string, too
    private static List<string>? Words(JsonElement? parent, string name) => Value(parent, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } word => [word.GetString()!],
        { } words => [.. words.EnumerateArray().Select(word => word.GetString() ?? "")],
    };

    /// <summary>The time of a layer as Go writes it: without zeros at the end of the fraction.</summary>
    private static string Time(JsonElement layer)
    {
        if (Value(layer, "created") is not { } created)
        {
            return "\"0001-01-01T00:00:00Z\"";
        }

        string text = created.GetString()!;
        string seconds = text.Length > 19 ? text[..19] : "";
        string rest = text[seconds.Length..];
        int digits = rest.StartsWith('.') ? Math.Max(0, rest.AsSpan(1).IndexOfAnyExceptInRange('0', '9')) : 0;
        string zone = digits == 0 ? rest : rest[(digits + 1)..];
        if (!DateTime.TryParseExact(seconds, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            || !(zone is "Z" || (zone is ['+' or '-', _, _, ':', _, _] && TimeOnly.TryParseExact(zone.AsSpan(1), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))))
        {
            throw new FormatException($"'{Printable.Shorten(text)}' is no time of RFC 3339");
        }

        string fraction = rest[(rest.Length - zone.Length - digits)..(rest.Length - zone.Length)];
        fraction = fraction[..Math.Min(digits, 9)].TrimEnd('0');
        return $"\"{seconds}{(fraction.Length == 0 ? "" : $".{fraction}")}{(zone is "+00:00" or "-00:00" ? "Z" : zone)}\"";
    }

    /// <summary>Whether a version is below 1.8.3, as docker compares them; one that is not stated is.</summary>
    private static bool IsOld(string version)
    {
        string[] parts = version.Split('.');
        foreach ((int at, int limit) in (ReadOnlySpan<(int, int)>)[(0, 1), (1, 8), (2, 3)])
        {
            int number = at < parts.Length && int.TryParse(parts[at], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int known) ? known : 0;
            if (number != limit)
            {
                return number < limit;
            }
        }

        return false;
    }
}
