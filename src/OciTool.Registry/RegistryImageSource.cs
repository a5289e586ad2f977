using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>One image in a registry, to be pulled.</summary>
public sealed class RegistryImageSource : IImageSource, IAsyncDisposable
{
    private readonly Reference _reference;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly ServiceProvider _services;

    [SuppressMessage("Usage", "CA2213", Justification = "disposed with the services that made it")]
    private readonly RegistryClient _client;

    private RegistryImageSource(Reference reference, RegistryOptions options, TimeProvider time, ServiceProvider services)
    {
        (_reference, _options, _time, _services) = (reference, options, time, services);
        _client = services.GetRequiredService<RegistryClient>();
    }

    /// <summary>Prepares to pull one image; no request is sent yet.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="options">How to talk to its registry.</param>
    /// <param name="loggers">Makes the loggers.</param>
    /// <param name="time">The clock of retries, tokens and timeouts.</param>
    /// <param name="warn">Takes a line that the user should see at once, for example that a request is repeated.</param>
    /// <exception cref="OciException">The directory of certificates does not exist.</exception>
    public static RegistryImageSource Create(
        Reference reference, RegistryOptions options, ILoggerFactory loggers, TimeProvider time, Action<string> warn)
    {
        if (options.CertDirectory is { } directory && !Directory.Exists(directory))
        {
            throw new OciException($"certificate directory '{directory}': no such directory");
        }

        ServiceCollection services = new();
        services.AddRegistryClient(reference, options, loggers, time, warn);
        return new RegistryImageSource(reference, options, time, services.BuildServiceProvider());
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not hand out the image.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the digest names.</exception>
    public async Task<Document> ResolveAsync(CancellationToken cancellationToken)
    {
        FetchedManifest fetched = await _client.GetManifestAsync(_reference.TagOrDigest, Document.MaxSize, cancellationToken);
        string mediaType = MediaType(fetched);
        Document document = _reference.Digest is { } digest
            ? Document.Verify(new Descriptor(mediaType, digest, fetched.Body.Length), fetched.Body)
            : new Document(mediaType, fetched.Body);
        RequireAnnouncedDigest(fetched);
        return document;
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not have the document.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the descriptor names.</exception>
    public async Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (descriptor.Size > Document.MaxSize)
        {
            throw new RegistryException(
                $"{_reference.Name}: manifest {descriptor.Digest}: {descriptor.Size} bytes are more than the limit of {Document.MaxSize}");
        }

        FetchedManifest fetched = await _client.GetManifestAsync(descriptor.Digest.ToString(), descriptor.Size, cancellationToken);
        return Document.Verify(descriptor, fetched.Body);
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not have the blob.</exception>
    public async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        BlobStream stream = new(_client, blob, offset, _options, _time, cancellationToken);
        try
        {
            await stream.ConnectAsync();
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => _services.DisposeAsync();

    // registries that do not know a manifest's type serve it as something general
    private static string MediaType(FetchedManifest fetched)
    {
        if (fetched.ContentType is not (null or "text/plain" or "application/json" or "application/octet-stream"))
        {
            return fetched.ContentType;
        }

        try
        {
            return JsonSerializer.Deserialize(fetched.Body, RegistryJson.Default.MediaTypeDocument)?.MediaType
                ?? fetched.ContentType ?? "";
        }
        catch (JsonException)
        {
            return fetched.ContentType ?? "";
        }
    }

    // the body's own hash is its identity; what the registry says of it can only disagree
    private void RequireAnnouncedDigest(FetchedManifest fetched)
    {
        if (fetched.AnnouncedDigest is not { } text)
        {
            return;
        }

        Digest announced = Digest.Parse(text);
        Digest actual = Digest.Of(fetched.Body, announced);
        if (announced != actual)
        {
            throw new RegistryException(
                $"{_reference}: the registry announced a manifest with digest {announced} and sent one with digest {actual}");
        }
    }
}
