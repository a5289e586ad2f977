using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Runtime;

/// <summary>Short words for what tests change in a configuration.</summary>
internal static class Configs
{
    extension(JsonObject config)
    {
        public JsonObject Process => config["process"]!.AsObject();

        public JsonObject Linux => config["linux"]!.AsObject();

        public JsonObject Resources => config.Linux["resources"]!.AsObject();

        public JsonArray Mounts => config["mounts"]!.AsArray();

        public JsonArray Namespaces => config.Linux["namespaces"]!.AsArray();

        /// <summary>Has the container run a script.</summary>
        public void Script(string script) => config.Process["args"] = new JsonArray("sh", "-c", script);

        public void Mount(string destination, string type, string source, params string[] options) =>
            config.Mounts.Add((JsonNode)new JsonObject
            {
                ["destination"] = destination,
                ["type"] = type,
                ["source"] = source,
                ["options"] = Array(options),
            });

        /// <summary>Takes a namespace out of the list.</summary>
        public void Without(string type)
        {
            JsonNode entry = config.Namespaces.Single(entry => (string?)entry!["type"] == type)!;
            config.Namespaces.Remove(entry);
        }

        /// <summary>Puts a namespace into the list in place of the one of its type.</summary>
        public void Namespace(string type, string? path = null)
        {
            if (config.Namespaces.Any(entry => (string?)entry!["type"] == type))
            {
                config.Without(type);
            }

            JsonObject entry = new() { ["type"] = type };
            if (path is not null)
            {
                entry["path"] = path;
            }

            config.Namespaces.Add((JsonNode)entry);
        }

        /// <summary>Gives the process some capabilities in all sets but the inheritable and the ambient ones.</summary>
        public void Capabilities(params string[] names)
        {
            JsonObject sets = new();
            foreach (string set in new[] { "bounding", "effective", "permitted" })
            {
                sets[set] = Array(names);
            }

            config.Process["capabilities"] = sets;
        }

        /// <summary>Adds a hook that is a script of the shell.</summary>
        public void Hook(string kind, string script, int? timeout = null)
        {
            JsonObject hook = new() { ["path"] = "/bin/sh", ["args"] = new JsonArray("sh", "-c", script) };
            if (timeout is not null)
            {
                hook["timeout"] = timeout;
            }

            if (config["hooks"] is null)
            {
                config["hooks"] = new JsonObject();
            }

            JsonObject hooks = config["hooks"]!.AsObject();
            if (hooks[kind] is null)
            {
                hooks[kind] = new JsonArray();
            }

            hooks[kind]!.AsArray().Add((JsonNode)hook);
        }
    }

    public static JsonArray Array(params IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
}
