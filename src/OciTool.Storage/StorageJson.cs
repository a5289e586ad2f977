using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>The store's own records, without reflection; what they do not know is an error, not ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    UseStringEnumConverter = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(LayerRecord))]
[JsonSerializable(typeof(ContainerRecord))]
[JsonSerializable(typeof(ImageFactsFile))]
internal sealed partial class StorageJson : JsonSerializerContext
{
    private const int MaxSize = 64 << 20;

    internal static StorageJson Relaxed => field ??= new StorageJson(new JsonSerializerOptions(Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>Reads a record of the store.</summary>
    /// <returns>Null when the file is not there.</returns>
    /// <exception cref="OciException">The file cannot be read or is damaged; the message names it.</exception>
    internal static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        byte[]? bytes = ReadBytes(path);
        if (bytes is null)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or OciException)
        {
            string cause = (e.InnerException as OciException)?.Message ?? e.Message;
            throw new OciException($"'{path}' is damaged: {Printable.Shorten(cause)}", e);
        }
    }

    private static byte[]? ReadBytes(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > MaxSize)
            {
                throw new OciException($"'{path}' is damaged: {file.Length} bytes are more than the limit of {MaxSize}");
            }

            byte[] bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"cannot read '{path}': {e.Message}", e);
        }
    }
}
