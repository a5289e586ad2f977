using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>The content of an auth file, to be changed: what this tool does not know stays as it is.</summary>
internal sealed class AuthFileEditor
{
    private const string Auths = "auths";
    private const string Helpers = "credHelpers";

    private readonly string _path;
    private readonly JsonObject _document;

    private AuthFileEditor(string path, JsonObject document) => (_path, _document) = (path, document);

    /// <summary>The helper that keeps all credentials, as docker knows it; null when there is none.</summary>
    internal string? Store => Text(_document["credsStore"]);

    /// <summary>The keys that have credentials, or whose credentials the store has.</summary>
    internal IEnumerable<string> Keys => Section(Auths) is { } auths ? auths.Select(entry => entry.Key) : [];

    /// <summary>The keys with a helper of their own, and its name.</summary>
    internal IEnumerable<(string Key, string Helper)> HelperKeys =>
        from entry in Section(Helpers) ?? []
        let helper = Text(entry.Value)
        where !string.IsNullOrEmpty(helper)
        select (entry.Key, helper);

    /// <summary>Reads the content of a file.</summary>
    /// <param name="path">The file, for errors.</param>
    /// <param name="content">Its content; null or blank for a new one.</param>
    /// <exception cref="OciException">It is not an auth file; nobody may write over it.</exception>
    internal static AuthFileEditor Parse(string path, byte[]? content)
    {
        if (content is null || content.AsSpan().IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            return new AuthFileEditor(path, []);
        }

        try
        {
            // both parsers: this one keeps what is there, the other one says what reading it would
            JsonNode? node = JsonNode.Parse(content, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
            _ = JsonSerializer.Deserialize(content, RegistryJson.Default.AuthFileDocument);
            return new AuthFileEditor(path, node as JsonObject ?? throw new OciException($"invalid auth file {path}: it is not a JSON object"));
        }
        catch (JsonException e)
        {
            // the reader's own message may quote what it could not read, which may be a password
            throw new OciException($"invalid auth file {path}: not the JSON of an auth file, line {e.LineNumber + 1}");
        }
    }

    /// <summary>The helper that has the credentials of a key of its own; null when there is none.</summary>
    internal string? HelperOf(string key) => Text(Section(Helpers)?[key]);

    /// <summary>Sets a key's credentials, under the name that an older client may have given it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="credentials">The credentials; null when the store has them.</param>
    internal void Set(string key, Credentials? credentials)
    {
        JsonObject auths = Section(Auths) ?? new JsonObject();
        _document[Auths] ??= auths;
        string name = auths.ContainsKey(key) ? key : Equivalents(key).FirstOrDefault() ?? key;
        JsonObject entry = auths[name] as JsonObject ?? new JsonObject();
        auths[name] ??= entry;
        entry.Remove("auth");
        entry.Remove("identitytoken");
        if (credentials is null)
        {
            return;
        }

        entry["auth"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.User}:{credentials.Password}"));
        if (credentials.IdentityToken is { } token)
        {
            entry["identitytoken"] = token;
        }
    }

    /// <summary>Removes a key, by all of its names.</summary>
    /// <returns>Whether it was there.</returns>
    internal bool Remove(string key)
    {
        bool found = false;
        foreach (string name in (string[])[key, .. Equivalents(key)])
        {
            found |= Section(Auths)?.Remove(name) ?? false;
        }

        return found;
    }

    /// <summary>Removes all keys, and the helpers of single ones.</summary>
    internal void Clear()
    {
        Section(Auths)?.Clear();
        _document.Remove(Helpers);
    }

    /// <summary>The content to write.</summary>
    internal byte[] ToBytes()
    {
        using MemoryStream bytes = new();
        JsonWriterOptions layout = new()
        {
            Indented = true,
            IndentCharacter = '\t',
            IndentSize = 1,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (Utf8JsonWriter json = new(bytes, layout))
        {
            _document.WriteTo(json);
        }

        bytes.WriteByte((byte)'\n');
        return bytes.ToArray();
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;

    private List<string> Equivalents(string key) =>
        [.. Keys.Where(name => name != key && string.Equals(AuthFiles.Normalize(name), key, StringComparison.Ordinal))];

    private JsonObject? Section(string name) => _document[name] switch
    {
        null => null,
        JsonObject section => section,
        _ => throw new OciException($"invalid auth file {_path}: '{name}' is not a JSON object"),
    };
}
