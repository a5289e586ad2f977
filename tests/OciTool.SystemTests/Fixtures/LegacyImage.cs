using System.Text.Json;
using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A layer of docker's first format, with the <c>json</c> that describes it.</summary>
/// <param name="Id">64 hex digits, of which only the last differs.</param>
/// <param name="Json">The text of its <c>json</c>.</param>
/// <param name="Tar">Its files.</param>
internal sealed record LegacyLayer(string Id, string Json, byte[] Tar)
{
    /// <summary>A layer without anything special.</summary>
    public static LegacyLayer Of(char last, string? parent, byte[] tar, string version = "1.9.1")
    {
        string id = IdOf(last);
        JsonObject json = new()
        {
            ["id"] = id,
            ["created"] = "2015-10-31T22:22:55.613815829Z",
            ["container_config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/sh", "-c", $"layer {last}") },
            ["docker_version"] = version,
            ["config"] = BusyboxImages.Config,
            ["architecture"] = "amd64",
            ["os"] = "linux",
        };
        if (parent is not null)
        {
            json["parent"] = parent;
        }

        return new(id, json.ToJsonString(), tar);
    }

    public static string IdOf(char last) => new string('a', 63) + last;

    /// <summary>The archive of some layers.</summary>
    /// <param name="names">Names with tags, and the layers that they stand for.</param>
    /// <param name="layers">All layers, in any order.</param>
    public static Layer Archive((string Repository, string Tag, string Id)[] names, params LegacyLayer[] layers)
    {
        Layer archive = new();
        foreach (LegacyLayer layer in layers)
        {
            archive.Directory(layer.Id).File($"{layer.Id}/VERSION", "1.0").File($"{layer.Id}/json", layer.Json).File($"{layer.Id}/layer.tar", layer.Tar);
        }

        JsonObject repositories = [];
        foreach ((string repository, string tag, string id) in names)
        {
            repositories[repository] ??= new JsonObject();
            repositories[repository]![tag] = id;
        }

        return archive.File("repositories", JsonSerializer.Serialize(repositories));
    }
}
