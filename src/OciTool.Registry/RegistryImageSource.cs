using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Logging;
using OciTool.Images;
using OciTool.Registry.Configuration;

namespace OciTool.Registry;

/// <summary>One image in a registry or in its mirrors, to be pulled.</summary>
/// <remarks>
/// containers-registries.conf(5), "Remapping and mirroring registries": the endpoints are asked in their order, for the manifest and for
/// each blob by itself. Who failed once is not asked first again. Credentials are looked up for each endpoint, and those
/// of the command line are for the registry that the image is named after.
/// </remarks>
public sealed partial class RegistryImageSource : IImageSource, IAsyncDisposable
{
    private readonly Reference _reference;
    private readonly RegistryContext _context;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<PullEndpoint> _endpoints;
    private int _first;

    private RegistryImageSource(Reference reference, RegistryContext context, IReadOnlyList<PullEndpoint> endpoints)
    {
        (_reference, _context, _endpoints) = (reference, context, endpoints);
        _logger = context.Loggers.CreateLogger<RegistryImageSource>();
    }

    // nothing was configured for the image: an error is about what the user typed, and needs no table
    private bool IsPlain => _endpoints.Count == 1 && _endpoints[0].Reference == _reference;

    /// <summary>Prepares to pull one image; no request is sent yet.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="context">What the command brings.</param>
    /// <exception cref="RegistryException">The registry is blocked.</exception>
    /// <exception cref="OciException">The configuration is wrong, or no connection may be made.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the source")]
    public static RegistryImageSource Create(Reference reference, RegistryContext context)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(context);
        IReadOnlyList<PullSource> sources = context.Registries.PullSources(reference);
        RegistryImageSource source = new(reference, context,
            [.. sources.Select((place, i) => new PullEndpoint(place, ContextOf(place, isLast: i == sources.Count - 1)))]);
        if (source.IsPlain || context.Options.IsOffline)
        {
            source._endpoints[0].Open();
        }

        return source;

        RegistryContext ContextOf(PullSource place, bool isLast) => context with
        {
            Options = context.Options with
            {
                Credentials = place.Reference.Registry == reference.Registry ? context.Options.Credentials : null,
                Retries = isLast ? context.Options.Retries : 0, // the next endpoint is the repetition
            },
            Registries = context.Registries,
        };
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not hand out the image.</exception>
    /// <exception cref="EndpointsException">The same for several endpoints.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the digest names.</exception>
    public Task<Document> ResolveAsync(CancellationToken cancellationToken) =>
        AskAsync(_reference.ToString(), endpoint => endpoint.ResolveAsync(cancellationToken));

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not have the document.</exception>
    /// <exception cref="EndpointsException">The same for several endpoints.</exception>
    /// <exception cref="ContentMismatchException">It sent something else than the descriptor names.</exception>
    public Task<Document> ReadDocumentAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        AskAsync($"{_reference}: manifest {descriptor.Digest}", endpoint => endpoint.ReadDocumentAsync(descriptor, cancellationToken));

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The registry cannot be reached, or does not have the blob.</exception>
    /// <exception cref="EndpointsException">The same for several endpoints.</exception>
    public async Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        if (IsPlain)
        {
            return await _endpoints[0].OpenBlobAsync(blob, offset, cancellationToken);
        }

        int next = Volatile.Read(ref _first);
        List<(string Endpoint, OciException Failure)> failures = [];
        return await FailoverStream.OpenAsync(
            async (position, failure) =>
            {
                if (failure is not null)
                {
                    Note(failures, next++, failure, $"{_reference}: blob {blob.Digest}");
                }

                while (true)
                {
                    try
                    {
                        Stream stream = await _endpoints[next].OpenBlobAsync(blob, position, cancellationToken);
                        Succeeded(next);
                        return stream;
                    }
                    catch (OciException e)
                    {
                        Note(failures, next++, e, $"{_reference}: blob {blob.Digest}");
                    }
                }
            },
            offset);
    }

    /// <summary>Closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (PullEndpoint endpoint in _endpoints)
        {
            await endpoint.DisposeAsync();
        }
    }

    private async Task<Document> AskAsync(string wanted, Func<PullEndpoint, Task<Document>> ask)
    {
        if (IsPlain)
        {
            return await ask(_endpoints[0]);
        }

        List<(string Endpoint, OciException Failure)> failures = [];
        for (int next = Volatile.Read(ref _first); ; next++)
        {
            try
            {
                Document document = await ask(_endpoints[next]);
                Succeeded(next);
                return document;
            }
            catch (OciException e)
            {
                Note(failures, next, e, wanted);
            }
        }
    }

    // the endpoint that delivered is asked first from now on
    private void Succeeded(int endpoint)
    {
        int first;
        while ((first = Volatile.Read(ref _first)) < endpoint && Interlocked.CompareExchange(ref _first, endpoint, first) != first)
        {
        }
    }

    // that a mirror lacks an image is its good right; anything else somebody should know of
    private void Note(List<(string Endpoint, OciException Failure)> failures, int endpoint, OciException failure, string wanted)
    {
        failures.Add((_endpoints[endpoint].Reference.ToString(), failure));
        if (endpoint == _endpoints.Count - 1)
        {
            throw new EndpointsException(wanted, failures);
        }

        Reference next = _endpoints[endpoint + 1].Reference;
        if (failure is RegistryException { Status: HttpStatusCode.NotFound })
        {
            LogNotThere(failure.Message, next);
        }
        else
        {
            _context.Warn($"{failure.Message}; trying {next.Name}");
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Cause}; trying {Next}")]
    private partial void LogNotThere(string cause, Reference next);
}
