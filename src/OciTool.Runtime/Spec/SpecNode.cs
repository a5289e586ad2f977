using System.Numerics;
using System.Text.Json;

namespace OciTool.Runtime.Spec;

/// <summary>An object of a JSON document, which knows where it is: an error names <c>process.rlimits[2].soft</c>.</summary>
/// <remarks>
/// The serializer would first build tables of all types of the specification, by reflection over attributes: a quarter of
/// the processor time of a container's start. As it does, this passes over members that it does not know, takes no null for
/// what the specification requires, and refuses a name that occurs twice.
/// </remarks>
internal sealed class SpecNode
{
    private const int MaxDepth = 64;

    private readonly JsonElement _object;
    private readonly Place _place;

    private SpecNode(JsonElement value, Place place)
    {
        _object = value.ValueKind == JsonValueKind.Object ? value : throw Wanted(place, "an object");
        _place = place;
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="JsonException">It is not JSON, or not what is read.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> document, Func<SpecNode, T> read)
    {
        using JsonDocument json = JsonDocument.Parse(document, new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
        return read(new SpecNode(json.RootElement, default));
    }

    /// <summary>Text that has to be there.</summary>
    public string Text(string name) => OptionalText(name) ?? throw Missing(name);

    /// <summary>Text; null where there is none.</summary>
    public string? OptionalText(string name) => Find(name, out JsonElement value) ? TextOf(value, At(name)) : null;

    /// <summary>A truth value that has to be there.</summary>
    public bool Boolean(string name) => OptionalBoolean(name) ?? throw Missing(name);

    /// <summary>A truth value; null where there is none.</summary>
    public bool? OptionalBoolean(string name) => !Find(name, out JsonElement value) ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wanted(At(name), "true or false"),
    };

    /// <summary>A whole number that has to be there.</summary>
    public T Number<T>(string name)
        where T : struct, INumberBase<T> =>
        OptionalNumber<T>(name) ?? throw Missing(name);

    /// <summary>A whole number; null where there is none.</summary>
    public T? OptionalNumber<T>(string name)
        where T : struct, INumberBase<T> =>
        Find(name, out JsonElement value) ? NumberOf<T>(value, At(name)) : null;

    /// <summary>An object that has to be there.</summary>
    public T Object<T>(string name, Func<SpecNode, T> read)
        where T : class =>
        OptionalObject(name, read) ?? throw Missing(name);

    /// <summary>An object; null where there is none.</summary>
    public T? OptionalObject<T>(string name, Func<SpecNode, T> read)
        where T : class =>
        Find(name, out JsonElement value) ? read(new SpecNode(value, At(name))) : null;

    /// <summary>A list of objects; null where there is none.</summary>
    public List<T>? Objects<T>(string name, Func<SpecNode, T> read)
        where T : class =>
        List(name, (value, place) => read(new SpecNode(value, place)));

    /// <summary>A list of text; null where there is none.</summary>
    public List<string>? Texts(string name) => List(name, TextOf);

    /// <summary>A list of whole numbers; null where there is none.</summary>
    public List<T>? Numbers<T>(string name)
        where T : struct, INumberBase<T> =>
        List(name, NumberOf<T>);

    /// <summary>Text by name; null where there is none. As in Go, null is empty text.</summary>
    public Dictionary<string, string>? TextMap(string name) =>
        Map(name, (value, place) => value.ValueKind == JsonValueKind.Null ? "" : TextOf(value, place));

    /// <summary>Objects by name; null where there are none.</summary>
    public Dictionary<string, T>? ObjectMap<T>(string name, Func<SpecNode, T> read)
        where T : class =>
        Map(name, (value, place) => read(new SpecNode(value, place)));

    /// <summary>A moment that has to be there.</summary>
    public DateTimeOffset Time(string name) =>
        Find(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out DateTimeOffset time)
            ? time
            : throw Wanted(At(name), "a time");

    private static string TextOf(JsonElement value, Place place)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wanted(place, "text");
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException($"{place} must be text in UTF-8", e);
        }
    }

    private static T NumberOf<T>(JsonElement value, Place place)
        where T : struct, INumberBase<T>
    {
        try
        {
            return value.ValueKind != JsonValueKind.Number ? throw Wanted(place, "a number")
                : value.TryGetInt64(out long number) ? T.CreateChecked(number)
                : value.TryGetUInt64(out ulong large) ? T.CreateChecked(large)
                : throw Wanted(place, "a whole number of at most 64 bits");
        }
        catch (OverflowException e)
        {
            throw new JsonException($"{place} is out of range: {value.GetRawText()}", e);
        }
    }

    private static JsonException Wanted(Place place, string what) => new($"{place} must be {what}");

    /// <summary>The error that a member is not there.</summary>
    public JsonException Missing(string name) => new($"{At(name)} is missing");

    private Place At(string name) => new(this, name);

    private bool Find(string name, out JsonElement value) =>
        _object.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private List<T>? List<T>(string name, Func<JsonElement, Place, T> read)
    {
        if (!Find(name, out JsonElement value))
        {
            return null;
        }

        Place place = At(name);
        List<T> list = value.ValueKind == JsonValueKind.Array ? new(value.GetArrayLength()) : throw Wanted(place, "a list");
        foreach (JsonElement element in value.EnumerateArray())
        {
            list.Add(read(element, place with { Index = list.Count }));
        }

        return list;
    }

    private Dictionary<string, T>? Map<T>(string name, Func<JsonElement, Place, T> read)
    {
        if (!Find(name, out JsonElement value))
        {
            return null;
        }

        Place place = At(name);
        Dictionary<string, T> map = value.ValueKind == JsonValueKind.Object ? [] : throw Wanted(place, "an object");
        foreach (JsonProperty member in value.EnumerateObject())
        {
            map[member.Name] = read(member.Value, place with { Key = member.Name });
        }

        return map;
    }

    // it is put into words only when something is wrong
    private readonly record struct Place(SpecNode Parent, string Name, int? Index = null, string? Key = null)
    {
        public override string ToString() => Name is null ? "the document"
            : $"{(Parent._place.Name is null ? "" : $"{Parent._place}.")}{Name}{(Index is null ? "" : $"[{Index}]")}{(Key is null ? "" : $".{Key}")}";
    }
}
