using System.Collections.Concurrent;
using OciTool.SystemTests.Fixtures;
using Xunit;

[assembly: AssemblyFixture(typeof(Machine))]

namespace OciTool.SystemTests.Fixtures;

/// <summary>What all tests share and nobody changes: registries over one storage, and the images in them.</summary>
public sealed class Machine : IAsyncDisposable
{
    private readonly Authority _authority = new();
    private readonly TemporaryDirectory _storage = new();
    private readonly ConcurrentDictionary<RegistryAuth, Lazy<Task<RegistryProcess>>> _registries = new();
    private readonly ConcurrentDictionary<string, Lazy<Task>> _published = new();
    private readonly Lazy<Peers> _peers;
    private readonly Lazy<string> _authorityFile;

    public Machine()
    {
        _peers = new(() => new Peers(this));
        _authorityFile = new(() =>
        {
            string file = _storage["authority.pem"];
            File.WriteAllText(file, _authority.CertificatePem);
            return file;
        });
    }

    /// <summary>What takes long to make and is kept between runs.</summary>
    public static string Cache { get; } =
        Environment.GetEnvironmentVariable("OCI_TESTS_CACHE") is { Length: > 0 } chosen ? chosen : "/var/cache/oci-tests";

    /// <summary>The authority behind every certificate here.</summary>
    public Authority Authority => _authority;

    public BusyboxImages Images { get; } = new();

    /// <summary>The PEM file of the authority that signed the TLS registry's certificate.</summary>
    public string AuthorityFile => _authorityFile.Value;

    internal Peers Peers => _peers.Value;

    public Task<RegistryProcess> RegistryAsync(RegistryAuth auth) => _registries.GetOrAdd(auth, kind =>
        new(() => RegistryProcess.StartAsync(kind, _storage["storage"], _authority))).Value;

    /// <summary>The host of the registry that everybody may read and write.</summary>
    public async Task<string> HostAsync() => (await RegistryAsync(RegistryAuth.Anonymous)).Host;

    /// <summary>The name under which everybody can pull the plain image.</summary>
    public Task<string> PlainAsync() => PublishAsync("busybox", () => Task.FromResult(Images.Plain));

    /// <summary>Uploads an image once in a run and returns the name to pull it by.</summary>
    public async Task<string> PublishAsync(string repository, Func<Task<TestImage>> make)
    {
        string host = await HostAsync();
        await _published.GetOrAdd(repository, name =>
            new(async () => await RegistryWriter.PushAsync(host, name, "latest", await make()))).Value;
        return $"{host}/{repository}:latest";
    }

    public Task<string> PublishAsync(string repository, TestImage image) =>
        PublishAsync(repository, () => Task.FromResult(image));

    public async ValueTask DisposeAsync()
    {
        if (_peers.IsValueCreated)
        {
            await _peers.Value.DisposeAsync();
        }

        foreach (Lazy<Task<RegistryProcess>> registry in _registries.Values)
        {
            if (registry.Value.IsCompletedSuccessfully)
            {
                await (await registry.Value).DisposeAsync();
            }
        }

        _storage.Dispose();
        _authority.Dispose();
    }
}
