using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OciTool.Images;

namespace OciTool.Storage;

/// <summary>The store's own records. What <c>oci run</c> reads and writes has no part in it but the reading of containers.</summary>
/// <remarks>The tables of the serializer take several milliseconds to build, by reflection over attributes.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    UseStringEnumConverter = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(ContainerRecord))]
[JsonSerializable(typeof(ImageFactsFile))]
internal sealed partial class StorageJson : JsonSerializerContext
{
    private const int MaxSize = 64 << 20;

    internal static StorageJson Relaxed => field ??= new StorageJson(new JsonSerializerOptions(Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>The bytes of a record that is written piece by piece.</summary>
    internal static ReadOnlySpan<byte> ToBytes(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> bytes = new(1024);
        using (Utf8JsonWriter json = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }

        return bytes.WrittenSpan;
    }

    /// <summary>Reads a record of the store.</summary>
    /// <returns>Null when the file is not there.</returns>
    /// <exception cref="OciException">The file cannot be read or is damaged; the message names it.</exception>
    internal static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class =>
        Read(path, bytes => JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("it is null"));

    /// <inheritdoc cref="Read{T}(string, JsonTypeInfo{T})"/>
    internal static T? Read<T>(string path, Func<byte[], T> read)
        where T : class
    {
        byte[]? bytes = ReadBytes(path);
        if (bytes is null)
        {
            return null;
        }

        try
        {
            return read(bytes);
        }
        catch (Exception e) when (e is JsonException or OciException or InvalidOperationException or KeyNotFoundException or FormatException)
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
