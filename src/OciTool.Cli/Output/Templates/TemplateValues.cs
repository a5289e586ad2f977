using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OciTool.Cli.Output.Templates;

/// <summary>Nothing: a null pointer, or a map's entry that is not there.</summary>
internal sealed class NilValue : TemplateValue
{
    /// <summary>The only one.</summary>
    public static readonly NilValue Instance = new();

    /// <inheritdoc/>
    public override bool IsTrue => false;

    /// <inheritdoc/>
    public override string TypeName => "interface {}";

    /// <inheritdoc/>
    public override void Print(StringBuilder text) => text.Append("<nil>");

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => json.WriteNullValue();
}

/// <summary>Yes or no.</summary>
internal sealed class BoolValue(bool value) : TemplateValue
{
    /// <inheritdoc/>
    public override bool IsTrue => value;

    /// <inheritdoc/>
    public override string TypeName => "bool";

    /// <inheritdoc/>
    public override void Print(StringBuilder text) => text.Append(value ? "true" : "false");

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => json.WriteBooleanValue(value);
}

/// <summary>A whole number.</summary>
internal sealed class IntegerValue(long value) : TemplateValue
{
    /// <summary>The number.</summary>
    public long Value => value;

    /// <inheritdoc/>
    public override bool IsTrue => value != 0;

    /// <inheritdoc/>
    public override string TypeName => "int";

    /// <inheritdoc/>
    public override void Print(StringBuilder text) => text.Append(value);

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => json.WriteNumberValue(value);
}

/// <summary>A number with a fraction.</summary>
internal sealed class FloatValue(double value) : TemplateValue
{
    /// <summary>The number.</summary>
    public double Value => value;

    /// <inheritdoc/>
    public override bool IsTrue => value != 0;

    /// <inheritdoc/>
    public override string TypeName => "float64";

    /// <inheritdoc/>
    public override void Print(StringBuilder text) => text.Append(value.ToString("R", CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => json.WriteNumberValue(value);
}

/// <summary>A text.</summary>
internal sealed class StringValue(string value) : TemplateValue
{
    /// <summary>No text.</summary>
    public static readonly StringValue Empty = new("");

    /// <summary>The text.</summary>
    public string Value => value;

    /// <inheritdoc/>
    public override bool IsTrue => value.Length > 0;

    /// <inheritdoc/>
    public override string TypeName => "string";

    /// <inheritdoc/>
    public override void Print(StringBuilder text) => text.Append(value);

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => json.WriteStringValue(value);
}

/// <summary>A moment.</summary>
internal sealed class TimeValue(DateTimeOffset value) : TemplateValue
{
    /// <inheritdoc/>
    public override bool IsTrue => true;

    /// <inheritdoc/>
    public override string TypeName => "time.Time";

    /// <inheritdoc/>
    public override void Print(StringBuilder text) => text.Append(GoTime.Print(value));

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => json.WriteStringValue(GoTime.Rfc3339(value));
}

/// <summary>A slice.</summary>
internal sealed class ListValue(IReadOnlyList<TemplateValue> items, bool isNil = false) : TemplateValue
{
    /// <summary>What is in it.</summary>
    public IReadOnlyList<TemplateValue> Items => items;

    /// <inheritdoc/>
    public override bool IsTrue => items.Count > 0;

    /// <inheritdoc/>
    public override string TypeName => items.Count > 0 ? $"[]{items[0].TypeName}" : "[]string";

    /// <inheritdoc/>
    public override void Print(StringBuilder text)
    {
        text.Append('[');
        for (int i = 0; i < items.Count; i++)
        {
            _ = i > 0 ? text.Append(' ') : text;
            items[i].Print(text);
        }

        text.Append(']');
    }

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json)
    {
        if (isNil)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (TemplateValue item in items)
        {
            item.WriteJson(json);
        }

        json.WriteEndArray();
    }
}

/// <summary>A map, which Go prints in the order of its keys.</summary>
internal sealed class MapValue(SortedDictionary<string, TemplateValue> entries, bool isNil = false) : TemplateValue
{
    /// <summary>What is in it.</summary>
    public SortedDictionary<string, TemplateValue> Entries => entries;

    /// <inheritdoc/>
    public override bool IsTrue => entries.Count > 0;

    /// <inheritdoc/>
    public override string TypeName => "map[string]string";

    /// <inheritdoc/>
    public override TemplateValue Field(string name) =>
        entries.TryGetValue(name, out TemplateValue? value) ? value : NilValue.Instance;

    /// <inheritdoc/>
    public override void Print(StringBuilder text)
    {
        text.Append("map[");
        bool first = true;
        foreach ((string key, TemplateValue value) in entries)
        {
            text.Append(first ? "" : " ").Append(key).Append(':');
            value.Print(text);
            first = false;
        }

        text.Append(']');
    }

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json)
    {
        if (isNil)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        foreach ((string key, TemplateValue value) in entries)
        {
            json.WritePropertyName(key);
            value.WriteJson(json);
        }

        json.WriteEndObject();
    }
}

/// <summary>A record, whose fields are the properties that the JSON source generator knows of it.</summary>
/// <remarks>
/// Names are matched exactly first and then whatever their case is, because <c>.ID</c> and <c>.Id</c> are both in use
/// and JSON names of some documents begin with a small letter where Go's field names do not.
/// </remarks>
internal sealed class RecordValue(object value, JsonTypeInfo type, string typeName) : TemplateValue
{
    // fields whose name in Go is not their name in JSON
    private static readonly Dictionary<string, string> GoNames = new(StringComparer.Ordinal)
    {
        ["CgroupsVersion"] = "cgroupVersion",
        ["ContainerPort"] = "container_port",
        ["CreatedBy"] = "created_by",
        ["DefaultCapabilities"] = "capabilities",
        ["EmptyLayer"] = "empty_layer",
        ["HostIP"] = "host_ip",
        ["HostPort"] = "host_port",
    };

    private Dictionary<string, TemplateValue>? _extra;

    /// <inheritdoc/>
    public override bool IsTrue => true;

    /// <inheritdoc/>
    public override string TypeName => typeName;

    /// <summary>The JSON names of its fields, and the names that were added.</summary>
    public IEnumerable<string> FieldNames =>
        type.Properties.Select(property => property.Name).Concat(_extra is null ? [] : _extra.Keys);

    /// <summary>Adds a field that only templates see, such as a size for people.</summary>
    /// <param name="name">Its name; it hides a property of the same name.</param>
    /// <param name="field">Its value.</param>
    public RecordValue With(string name, TemplateValue field)
    {
        (_extra ??= [])[name] = field;
        return this;
    }

    /// <summary>Adds a text that only templates see.</summary>
    /// <param name="name">Its name; it hides a property of the same name.</param>
    /// <param name="text">Its value.</param>
    public RecordValue With(string name, string text) => With(name, new StringValue(text));

    /// <inheritdoc/>
    public override TemplateValue? Field(string name) =>
        _extra is not null && _extra.TryGetValue(name, out TemplateValue? extra) ? extra
        : Find(name, StringComparison.Ordinal) ?? Find(name, StringComparison.OrdinalIgnoreCase)
            ?? (GoNames.TryGetValue(name, out string? jsonName) ? Find(jsonName, StringComparison.Ordinal) : null);

    /// <inheritdoc/>
    public override void Print(StringBuilder text)
    {
        text.Append('{');
        bool first = true;
        foreach (JsonPropertyInfo property in type.Properties)
        {
            _ = first ? text : text.Append(' ');
            Read(property).Print(text);
            first = false;
        }

        text.Append('}');
    }

    /// <inheritdoc/>
    public override void WriteJson(Utf8JsonWriter json) => JsonSerializer.Serialize(json, value, type);

    private TemplateValue? Find(string name, StringComparison comparison)
    {
        foreach (JsonPropertyInfo property in type.Properties)
        {
            if (string.Equals(property.Name, name, comparison))
            {
                return Read(property);
            }
        }

        return null;
    }

    private TemplateValue Read(JsonPropertyInfo property) =>
        Of(property.Get?.Invoke(value), type.Options.GetTypeInfo(property.PropertyType));
}
