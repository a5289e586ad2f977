using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>What the tests of the registry client share: a registry, a hasty clock, and what was warned of.</summary>
public abstract class RegistryTests : IAsyncLifetime
{
    internal const string Manifest = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}""";

    protected RegistryTests() => Options = new RegistryOptions
    {
        StallTimeout = TimeSpan.FromHours(1),
        ResponseTimeout = TimeSpan.FromHours(1),
        Environment = name => Environment.GetValueOrDefault(name),
        SystemConfiguration = "/nonexistent",
        SystemCache = "/nonexistent",
    };

    internal FaultRegistry Registry { get; set; } = null!;

    internal HastyTime Time { get; } = new();

    internal List<string> Warnings { get; } = [];

    internal Dictionary<string, string> Environment { get; } = new() { ["HOME"] = "/nonexistent", ["XDG_RUNTIME_DIR"] = "/nonexistent" };

    internal RegistryOptions Options { get; set; }

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync() => Registry = await FaultRegistry.StartAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal RegistryImageSource Source(Reference reference, TimeProvider? time = null) =>
        RegistryImageSource.Create(reference, new RegistryContext(Options, NullLoggerFactory.Instance, time ?? Time, Warnings.Add));

    internal RegistryImageSource Source(string rest = "fedora:34", TimeProvider? time = null) => Source(Registry.Reference(rest), time);

    internal async Task<RegistryException> FailureAsync(string rest = "fedora:34")
    {
        await using RegistryImageSource source = Source(rest);
        return await Assert.ThrowsAsync<RegistryException>(() => source.ResolveAsync(Cancel));
    }

    internal async Task<Document> ResolveAsync(string rest = "fedora:34")
    {
        await using RegistryImageSource source = Source(rest);
        return await source.ResolveAsync(Cancel);
    }

    internal async Task<byte[]> PullBlobAsync(Descriptor blob, long offset = 0, TimeProvider? time = null)
    {
        await using RegistryImageSource source = Source(time: time);
        await using Stream stream = await source.OpenBlobAsync(blob, offset, Cancel);
        using MemoryStream bytes = new();
        await stream.CopyToAsync(bytes, Cancel);
        return bytes.ToArray();
    }

    internal static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    internal static string Basic(string text) => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}";
}
