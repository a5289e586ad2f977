using System.Text.Json;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Reads <c>dir:</c>: <c>manifest.json</c>, and blobs under their digits.</summary>
internal static class DirectoryImage
{
    internal const string Version = "Directory Transport Version: 1.1\n";

    /// <exception cref="OciException">It is no such directory.</exception>
    internal static IReadOnlyList<TransportImage> Read(ITransportFiles files) =>
        [new TransportImage([], new DirectorySource(files, new Document(TypeOf(files, files.Read("manifest.json"), out byte[] bytes), bytes)))];

    private static string TypeOf(ITransportFiles files, byte[] read, out byte[] bytes)
    {
        bytes = read;
        try
        {
            using JsonDocument json = JsonDocument.Parse(read);
            return json.RootElement.TryGetProperty("mediaType", out JsonElement type) && type.GetString() is { Length: > 0 } said ? said
                : json.RootElement.TryGetProperty("manifests", out _) ? MediaTypes.OciIndex
                : MediaTypes.OciManifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new OciException($"{files.Name}: invalid manifest.json: {Printable.Shorten(e.Message)}", e);
        }
    }

    private sealed class DirectorySource(ITransportFiles files, Document root) : IImageSource
    {
        public Task<Document> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(root);

        public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
            Task.FromResult(Document.Verify(descriptor, files.TryRead($"{descriptor.Digest.Hex}.manifest.json")
                ?? throw new OciException($"{files.Name}: {descriptor.Digest} is missing")));

        public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
            Task.FromResult(files.OpenBlob(blob.Digest.Hex, blob, offset));
    }
}
