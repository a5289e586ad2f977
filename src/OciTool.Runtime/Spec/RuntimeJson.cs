using System.Text.Json.Serialization;

namespace OciTool.Runtime.Spec;

/// <summary>Reads and writes the JSON documents of the OCI runtime-spec without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 64)]
[JsonSerializable(typeof(RuntimeSpec))]
[JsonSerializable(typeof(ProcessSpec))]
[JsonSerializable(typeof(ResourcesSpec))]
[JsonSerializable(typeof(StateSpec))]
[JsonSerializable(typeof(IReadOnlyList<StateSpec>))]
public sealed partial class RuntimeJson : JsonSerializerContext;
