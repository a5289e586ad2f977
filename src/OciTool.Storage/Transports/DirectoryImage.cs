using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Reads <c>dir:</c>: <c>manifest.json</c>, and blobs under their digits.</summary>
internal static class DirectoryImage
{
    internal const string Version = "Directory Transport Version: 1.1\n";

    /// <exception cref="OciException">It is no such directory.</exception>
    internal static IReadOnlyList<TransportImage> Read(ITransportFiles files)
    {
        byte[] bytes = files.Read("manifest.json");
        string type = OtherDocument.TypeOf(bytes)
            ?? throw new OciException($"{files.Name}: invalid manifest.json: it is no manifest or index of OCI or of Docker's schema 2");
        return [new TransportImage([], new DirectorySource(files, new Document(type, bytes)))];
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
