using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OciTool.Images;

/// <summary>Writes the JSON documents of the OCI image-spec without reflection; <see cref="SpecReader"/> reads them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 64)]
[JsonSerializable(typeof(Descriptor))]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfig))]
public sealed partial class SpecJson : JsonSerializerContext
{
    /// <summary>Writes documents that we author as Go writes them: a digest depends on how <c>+</c> is escaped.</summary>
    public static SpecJson Relaxed => field ??= new SpecJson(new JsonSerializerOptions(Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>Reads a document, and tells what is wrong with it in this tool's words.</summary>
    internal static T Read<T>(Document document, Func<ReadOnlySpan<byte>, T> read, string what)
    {
        try
        {
            return read(document.Bytes.Span);
        }
        catch (JsonException e)
        {
            throw new InvalidDocumentException($"invalid {what} {document.Digest}: {Printable.Shorten(e.Message)}", e);
        }
        catch (OciException e)
        {
            throw new InvalidDocumentException($"invalid {what} {document.Digest}: {e.Message}", e);
        }
    }
}
