using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OciTool.Runtime.Spec;

/// <summary>Writes the JSON documents of the OCI runtime-spec; <see cref="RuntimeSpecReader"/> reads them.</summary>
/// <remarks>
/// The methods below call what the generator has written for each type: the serializer would first build the tables of all
/// types that it meets, for milliseconds.
/// </remarks>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Serialization,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RuntimeSpec))]
[JsonSerializable(typeof(StateSpec))]
public sealed partial class RuntimeJson : JsonSerializerContext
{
    /// <summary>Writes a <c>config.json</c>.</summary>
    public static void Write(Utf8JsonWriter json, RuntimeSpec spec) => Default.RuntimeSpecSerializeHandler(json, spec);

    /// <summary>Writes limits.</summary>
    public static void Write(Utf8JsonWriter json, ResourcesSpec resources) => Default.ResourcesSpecSerializeHandler(json, resources);

    /// <summary>Writes a state as hooks and callers get it.</summary>
    public static void Write(Utf8JsonWriter json, StateSpec state) => Default.StateSpecSerializeHandler(json, state);

    /// <summary>A document as bytes.</summary>
    public static ReadOnlySpan<byte> ToBytes<T>(T document, Action<Utf8JsonWriter, T> write)
    {
        ArrayBufferWriter<byte> bytes = new(4096);
        using (Utf8JsonWriter json = new(bytes))
        {
            write(json, document);
        }

        return bytes.WrittenSpan;
    }
}
