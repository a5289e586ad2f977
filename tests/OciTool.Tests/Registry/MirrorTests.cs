using Microsoft.Extensions.Logging.Abstractions;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Registry.Configuration;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary><see cref="RegistryTests.Registry"/> is the place itself; before it there is one mirror.</summary>
public sealed class MirrorTests : RegistryTests
{
    private FaultRegistry _mirror = null!;

    private string Name => $"{Registry.Address.Authority}/fedora:34";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _mirror = await FaultRegistry.StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _mirror.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_mirror_that_has_the_image_is_all_that_is_asked()
    {
        _mirror.AddManifest("34", null, Manifest);
        byte[] content = Bytes(1000);
        Descriptor blob = _mirror.AddBlob(content);
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        Assert.Equal(content, await ReadAsync(source, blob));
        Assert.Empty(Registry.Requests);
        Assert.Contains(_mirror.Requests, request => request.Url == "/v2/copies/fedora/manifests/34");
    }

    [Fact]
    [Fault(44, "a mirror that lacks the image is passed over without a word")]
    public async Task A_mirror_without_the_image_is_passed_over_and_nobody_warned()
    {
        Registry.AddManifest("34", null, Manifest);
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        Assert.Empty(Warnings);
    }

    [Theory]
    [InlineData(401, "UNAUTHORIZED", "authentication required")]
    [InlineData(403, "DENIED", "access denied")]
    [InlineData(500, "UNKNOWN", "500 Internal Server Error")]
    [InlineData(503, "UNAVAILABLE", "503 Service Unavailable")]
    [Fault(44, "a mirror that refuses or fails is passed over with a warning, without waiting for it to come back")]
    public async Task A_mirror_that_refuses_is_passed_over_with_a_warning(int status, string code, string cause)
    {
        _mirror.Fault = async context =>
        {
            await FaultRegistry.WriteErrorAsync(context, status, code, "no");
            return true;
        };
        Registry.AddManifest("34", null, Manifest);
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        string warning = Assert.Single(Warnings);
        Assert.Contains(cause, warning, StringComparison.Ordinal);
        Assert.EndsWith($"; trying {Registry.Address.Authority}/fedora", warning, StringComparison.Ordinal);
        Assert.True(_mirror.Requests.Count <= 2, "a mirror is not asked again");
        Assert.Empty(Time.Waits);
    }

    [Fact]
    [Fault(44, "a mirror that is down is passed over at once; the error lists each endpoint with its own reason")]
    public async Task Where_nobody_delivers_each_endpoint_has_a_line_with_its_own_reason()
    {
        string mirror = _mirror.Address.Authority;
        await _mirror.DisposeAsync();
        await using RegistryImageSource source = MirroredSource();
        EndpointsException failure = await Assert.ThrowsAsync<EndpointsException>(() => source.ResolveAsync(Cancel));
        string[] lines = failure.Message.Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal($"cannot pull {Name}:", lines[0]);
        Assert.StartsWith($"  {mirror}/copies/fedora:34: http://{mirror}: connection refused", lines[1], StringComparison.Ordinal);
        Assert.StartsWith($"  {Name}: {Registry.Address.Authority}/fedora: manifest '34': manifest unknown", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    [Fault(44, "a blob that a mirror cannot finish is finished by the next endpoint from the byte that was reached")]
    public async Task A_blob_that_the_mirror_breaks_off_goes_on_elsewhere_at_the_same_byte()
    {
        byte[] content = Bytes(100_000);
        Descriptor blob = Registry.AddBlob(content);
        int connections = 0;
        _mirror.Fault = async context =>
        {
            if (!context.Request.Path.ToString().Contains("/blobs/", StringComparison.Ordinal))
            {
                return false;
            }

            if (connections++ == 0)
            {
                await FaultRegistry.WriteBlobAsync(context, content, breakAfter: 40_000);
            }
            else
            {
                await FaultRegistry.WriteErrorAsync(context, 404, "BLOB_UNKNOWN", "gone");
            }

            return true;
        };
        _mirror.AddManifest("34", null, Manifest);
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        Assert.Equal(content, await ReadAsync(source, blob));
        SeenRequest rest = Assert.Single(Registry.Requests, request => request.Url.Contains("/blobs/", StringComparison.Ordinal));
        Assert.Equal("bytes=40000-", rest.Range);
    }

    [Fact]
    public async Task Who_failed_with_one_blob_is_not_asked_first_for_the_next()
    {
        Descriptor one = Registry.AddBlob(Bytes(1000));
        Descriptor two = Registry.AddBlob(Bytes(2000));
        _mirror.AddManifest("34", null, Manifest);
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        await ReadAsync(source, one);
        await ReadAsync(source, two);
        Assert.Single(_mirror.Requests, request => request.Url.Contains("/blobs/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_blob_that_nobody_has_names_all_who_were_asked()
    {
        Descriptor blob = new("application/octet-stream", Digest.Of(Bytes(10)), 10);
        _mirror.AddManifest("34", null, Manifest);
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        EndpointsException failure = await Assert.ThrowsAsync<EndpointsException>(() => source.OpenBlobAsync(blob, 0, Cancel));
        Assert.StartsWith($"cannot pull {Name}: blob {blob.Digest}:\n", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, failure.Message.Split('\n').Length);
    }

    [Fact]
    public async Task A_mirror_that_sends_another_image_for_a_digest_is_passed_over()
    {
        Descriptor wanted = Registry.AddManifest("34", null, Manifest);
        _mirror.Fault = async context =>
        {
            if (!context.Request.Path.ToString().Contains("/manifests/", StringComparison.Ordinal))
            {
                return false;
            }

            await context.Response.Body.WriteAsync("""{"schemaVersion":2}"""u8.ToArray());
            return true;
        };
        Reference reference = Reference.Parse($"{Registry.Address.Authority}/fedora@{wanted.Digest}");
        await using RegistryImageSource source = MirroredSource(reference);
        Assert.Equal(wanted.Digest, (await source.ResolveAsync(Cancel)).Digest);
        Assert.Single(Warnings);
    }

    [Fact]
    public async Task Credentials_of_the_command_line_are_for_the_registry_that_was_named_and_not_for_its_mirror()
    {
        _mirror.Fault = Registry.Fault = async context =>
        {
            if (context.Request.Headers.Authorization.Count > 0)
            {
                return false;
            }

            context.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            await FaultRegistry.WriteErrorAsync(context, 401, "UNAUTHORIZED", "who?");
            return true;
        };
        Registry.AddManifest("34", null, Manifest);
        Options = Options with { Credentials = new Credentials("user", "s3cret") };
        await using RegistryImageSource source = MirroredSource();
        await source.ResolveAsync(Cancel);
        Assert.All(_mirror.Requests, request => Assert.Null(request.Authorization));
        Assert.Contains(Registry.Requests, request => request.Authorization == Basic("user:s3cret"));
    }

    [Fact]
    public async Task Each_endpoint_has_its_own_credentials()
    {
        string file = Path.GetTempFileName();
        try
        {
            string entries = $$"""
                "{{_mirror.Address.Authority}}/copies": { "auth": "{{Basic("m:1")[6..]}}" },
                "{{Registry.Address.Authority}}": { "auth": "{{Basic("r:2")[6..]}}" }
                """;
            await File.WriteAllTextAsync(file, $"{{\"auths\": {{{entries}}}}}", Cancel);
            Options = Options with { AuthFile = file };
            _mirror.Fault = Registry.Fault = async context =>
            {
                if (context.Request.Headers.Authorization.Count > 0)
                {
                    return false;
                }

                context.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
                await FaultRegistry.WriteErrorAsync(context, 401, "UNAUTHORIZED", "who?");
                return true;
            };
            Registry.AddManifest("34", null, Manifest);
            await using RegistryImageSource source = MirroredSource();
            await source.ResolveAsync(Cancel);
            Assert.All(_mirror.Requests, request => Assert.True(request.Authorization is null || request.Authorization == Basic("m:1")));
            Assert.Contains(_mirror.Requests, request => request.Authorization == Basic("m:1"));
            Assert.All(Registry.Requests, request => Assert.True(request.Authorization is null || request.Authorization == Basic("r:2")));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_blocked_registry_gets_no_request()
    {
        RegistryException failure = Assert.Throws<RegistryException>(() => Source(Name, $"[[registry]]\nlocation = '{Registry.Address.Authority}'\nblocked = true"));
        Assert.Equal($"registry {Registry.Address.Authority} is blocked in f.conf", failure.Message);
        await Task.Yield();
        Assert.Empty(Registry.Requests);
    }

    [Fact]
    public async Task A_rewritten_name_is_asked_for_elsewhere_and_an_error_says_so()
    {
        Registry.AddManifest("34", null, Manifest);
        string conf = $"[[registry]]\nprefix = 'fedora.example/team'\nlocation = '{Registry.Address.Authority}/inner'";
        await using (RegistryImageSource source = Source("fedora.example/team/fedora:34", conf))
        {
            await source.ResolveAsync(Cancel);
        }

        Assert.Contains(Registry.Requests, request => request.Url == "/v2/inner/fedora/manifests/34");
        await using RegistryImageSource missing = Source("fedora.example/team/fedora:35", conf);
        EndpointsException failure = await Assert.ThrowsAsync<EndpointsException>(() => missing.ResolveAsync(Cancel));
        Assert.StartsWith(
            $"cannot pull fedora.example/team/fedora:35:\n  {Registry.Address.Authority}/inner/fedora:35: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_wins_over_insecure()
    {
        Registry.AddManifest("34", null, Manifest);
        string conf = $"[[registry]]\nlocation = '{Registry.Address.Authority}'\ninsecure = true";
        Options = Options with { TlsVerify = true, Retries = 0 };
        await using RegistryImageSource strict = Source(Name, conf);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => strict.ResolveAsync(Cancel));
        Assert.StartsWith($"https://{Registry.Address.Authority}: ", failure.Message, StringComparison.Ordinal);
        Options = Options with { TlsVerify = null };
        await using RegistryImageSource lax = Source(Name, conf);
        await lax.ResolveAsync(Cancel);
    }

    [Fact]
    public void Offline_no_connection_is_prepared()
    {
        Environment["OCI_OFFLINE"] = "1";
        OciException failure = Assert.Throws<OciException>(() => MirroredSource());
        Assert.StartsWith("offline: ", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(failure.Hint);
        Environment["OCI_OFFLINE"] = "0";
        _ = MirroredSource();
    }

    private RegistryImageSource MirroredSource(Reference? reference = null) => Source((reference ?? Reference.Parse(Name)).ToString(), $"""
        [[registry]]
        location = "{Registry.Address.Authority}"
        [[registry.mirror]]
        location = "{_mirror.Address.Authority}/copies"
        """);

    private RegistryImageSource Source(string name, string conf) => RegistryImageSource.Create(
        Reference.Parse(name),
        new RegistryContext(Options, NullLoggerFactory.Instance, Time, Warnings.Add)
        {
            Registries = RegistriesConf.Merge(RegistriesFile.Parse("f.conf", conf, Warnings.Add)),
        });

    private static async Task<byte[]> ReadAsync(RegistryImageSource source, Descriptor blob)
    {
        await using Stream stream = await source.OpenBlobAsync(blob, 0, Cancel);
        using MemoryStream bytes = new();
        await stream.CopyToAsync(bytes, Cancel);
        return bytes.ToArray();
    }
}
