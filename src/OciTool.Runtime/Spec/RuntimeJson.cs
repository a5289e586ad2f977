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
public sealed partial class RuntimeJson : JsonSerializerContext;
