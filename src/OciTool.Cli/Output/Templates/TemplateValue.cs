using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OciTool.Cli.Output.Templates;

/// <summary>A value that a template can print and walk into, with the meaning that Go gives to it.</summary>
internal abstract class TemplateValue
{
    /// <summary>Whether <c>if</c> takes it as true: not nil, zero, false or empty.</summary>
    public abstract bool IsTrue { get; }

    /// <summary>How Go calls its type, for error messages.</summary>
    public abstract string TypeName { get; }

    /// <summary>Prints it as Go's <c>%v</c> does.</summary>
    /// <param name="text">Where to.</param>
    public abstract void Print(StringBuilder text);

    /// <summary>Writes it as JSON.</summary>
    /// <param name="json">Where to.</param>
    public abstract void WriteJson(Utf8JsonWriter json);

    /// <summary>The field or entry of a name; null when a value of this kind has none such.</summary>
    /// <param name="name">The name behind the dot.</param>
    public virtual TemplateValue? Field(string name) => null;

    /// <inheritdoc/>
    public override string ToString()
    {
        StringBuilder text = new();
        Print(text);
        return text.ToString();
    }

    /// <summary>A record, by the metadata that the JSON source generator made for it.</summary>
    /// <param name="value">The record.</param>
    /// <param name="type">Its metadata.</param>
    /// <param name="typeName">How Go calls the type, for example <c>images.imageReporter</c>.</param>
    /// <typeparam name="T">The record's type.</typeparam>
    public static RecordValue Of<T>(T value, JsonTypeInfo<T> type, string? typeName = null)
        where T : class => new(value, type, typeName ?? typeof(T).Name);

    /// <summary>A text.</summary>
    /// <param name="text">The text.</param>
    public static TemplateValue Of(string text) => new StringValue(text);

    /// <summary>A number.</summary>
    /// <param name="number">The number.</param>
    public static TemplateValue Of(long number) => new IntegerValue(number);

    /// <summary>Yes or no.</summary>
    /// <param name="value">Yes?</param>
    public static TemplateValue Of(bool value) => new BoolValue(value);

    /// <summary>A property of a record.</summary>
    /// <param name="value">Its value.</param>
    /// <param name="type">The metadata of its declared type.</param>
    internal static TemplateValue Of(object? value, JsonTypeInfo type) => value switch
    {
        null when type.Type == typeof(string) => StringValue.Empty,
        null when type.Kind == JsonTypeInfoKind.Enumerable => new ListValue([], isNil: true),
        null when type.Kind == JsonTypeInfoKind.Dictionary => new MapValue(new SortedDictionary<string, TemplateValue>(), isNil: true),
        null => NilValue.Instance,
        string text => new StringValue(text),
        bool truth => new BoolValue(truth),
        int or long or short or byte or uint or ushort or sbyte => new IntegerValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        double number => new FloatValue(number),
        DateTimeOffset time => new TimeValue(time),
        IDictionary map when type.Kind == JsonTypeInfoKind.Dictionary => MapOf(map, type),
        IEnumerable list when type.Kind == JsonTypeInfoKind.Enumerable => ListOf(list, type),
        _ when type.Kind == JsonTypeInfoKind.Object => new RecordValue(value, type, type.Type.Name),
        _ => new StringValue(value.ToString() ?? ""),
    };

    private static MapValue MapOf(IDictionary map, JsonTypeInfo type)
    {
        JsonTypeInfo element = type.Options.GetTypeInfo(type.ElementType!);
        SortedDictionary<string, TemplateValue> entries = new(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in map)
        {
            entries[(string)entry.Key] = Of(entry.Value, element);
        }

        return new MapValue(entries);
    }

    private static ListValue ListOf(IEnumerable list, JsonTypeInfo type)
    {
        JsonTypeInfo element = type.Options.GetTypeInfo(type.ElementType!);
        List<TemplateValue> items = [];
        foreach (object? item in list)
        {
            items.Add(Of(item, element));
        }

        return new ListValue(items);
    }
}
