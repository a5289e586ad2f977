using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Tests.Storage;
using Xunit;

namespace OciTool.Tests.Registry;

/// <summary>What becomes of uploads when the registry, the connection or the source misbehaves.</summary>
public sealed class UploadTests : RegistryTests
{
    private const int Large = 3 << 20;

    private readonly TestImage _image = TestImage.OfBlobs(Bytes(Large));

    private UploadRegistry Target { get; set; } = null!;

    private string Layer => _image.Layers[0].Digest.ToString();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Target = await UploadRegistry.StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await Target.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task An_image_arrives_byte_for_byte_with_its_tag_last()
    {
        Document pushed = await PushAsync();

        RequireWhole();
        Assert.Equal(_image.Root.Digest, pushed.Digest);
        Assert.Equal(_image.Root.Bytes.ToArray(), Target.Manifests["34"]);
        Assert.EndsWith("/manifests/34", Target.Requests.Last().Url, StringComparison.Ordinal);
        Assert.Equal(1, Target.Count("PUT", "/manifests/"));
        Assert.Equal(1, Target.Count("PATCH", "/uploads/"));
    }

    [Fact]
    public async Task What_is_there_is_not_sent_again()
    {
        await PushAsync();
        Target.Requests.Clear();

        await PushAsync();

        Assert.Equal(0, Target.Count("POST", "/uploads/"));
        Assert.Equal(2, Target.Count("HEAD", "/blobs/"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65536)]
    [InlineData(Large / 2)]
    [InlineData(Large - 1)]
    public async Task A_connection_that_breaks_is_replaced_where_the_registry_is(int at)
    {
        Target.Breaks.Enqueue(at);

        await PushAsync();

        RequireWhole();
        Assert.InRange(Target.Received, Large, Large + 4096);

        // a registry says the same of one byte and of none: then it begins anew
        Assert.Equal(at == 1 ? null : $"{at}-{Large - 1}", Target.Requests.Last(request => request.Method == "PATCH").Range);
        Assert.Equal(at == 1 ? 3 : 2, Target.Count("POST", "/uploads/"));
    }

    [Fact]
    public async Task As_long_as_bytes_arrive_it_goes_on_however_often_the_connection_breaks()
    {
        for (int i = 0; i < 20; i++)
        {
            Target.Breaks.Enqueue(100_000);
        }

        await PushAsync();
        RequireWhole();
    }

    [Fact]
    public async Task Five_connections_that_bring_nothing_end_it_and_nothing_is_named()
    {
        Target.Fault = Patches(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(PushAsync);

        Assert.Contains($"no progress at byte 0 of {Large} in 5 tries", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Target.Manifests);
    }

    [Fact]
    public async Task An_upload_that_the_registry_lost_begins_anew()
    {
        Target.Breaks.Enqueue(1_000_000);
        Target.WhenBroken = Target.LoseUploads;

        await PushAsync();

        RequireWhole();
        Assert.Equal((3, 2), (Target.Count("POST", "/uploads/"), Target.Count("PATCH", "/uploads/")));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_failure_that_may_pass_is_waited_for_and_told(int status)
    {
        int failures = 2;
        Target.Fault = Patches(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "7";
            return Task.CompletedTask;
        }, () => failures-- > 0);

        await PushAsync();

        RequireWhole();
        Assert.Equal(2, Warnings.Count);
        Assert.Equal(status == 429 ? [7, 7] : [1, 2], Time.Waits.Select(wait => Math.Floor(wait.TotalSeconds)));
    }

    [Fact]
    public async Task A_token_that_expires_in_mid_push_is_replaced_and_the_upload_goes_on()
    {
        int tokens = 0;
        Target.Fault = async context =>
        {
            if (context.Request.Path == "/token")
            {
                await context.Response.WriteAsync($$"""{"token":"t{{++tokens}}","expires_in":300}""");
                return true;
            }

            string wanted = context.Request.Method is "PATCH" or "PUT" ? "Bearer t2" : "Bearer t";
            if (!context.Request.Headers.Authorization.ToString().StartsWith(wanted, StringComparison.Ordinal))
            {
                context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{Target.Address.Authority}/token\",service=\"s\"";
                context.Response.StatusCode = 401;
                return true;
            }

            return false;
        };

        await PushAsync();

        RequireWhole();
        Assert.Equal(2, Volatile.Read(ref tokens));
    }

    [Fact]
    public async Task A_push_that_is_not_allowed_says_who_asked()
    {
        Options = Options with { Credentials = new Credentials("user", "secret") };
        Target.Fault = context =>
        {
            bool isPost = context.Request.Method == "POST";
            context.Response.StatusCode = isPost ? 403 : context.Response.StatusCode;
            return Task.FromResult(isPost);
        };

        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(PushAsync);

        Assert.Contains("access denied by http://127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("does not exist", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file:///etc/passwd", "it is neither http nor https")]
    [InlineData("http://169.254.169.254/upload", "it is a cloud's metadata service")]
    [InlineData("http://user@127.0.0.1:9/upload", "it has a user in it")]
    public async Task A_location_that_lies_is_refused(string location, string cause)
    {
        Target.Location = _ => location;
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(PushAsync);
        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
        Assert.Empty(Target.Manifests);
    }

    [Fact]
    public async Task Another_server_that_uploads_are_sent_to_gets_no_credentials()
    {
        Options = Options with { Credentials = new Credentials("user", "secret") };
        await using UploadRegistry other = await UploadRegistry.StartAsync();
        Target.Fault = context =>
        {
            bool isKnown = context.Request.Headers.Authorization == Basic("user:secret");
            if (!isKnown)
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"r\"";
                context.Response.StatusCode = 401;
            }

            return Task.FromResult(!isKnown);
        };
        other.Fault = context =>
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"r\"";
            context.Response.StatusCode = 401;
            return Task.FromResult(true);
        };
        Target.Location = path => $"http://{other.Address.Authority}{path}";

        await Assert.ThrowsAsync<RegistryException>(PushAsync);

        Assert.NotEmpty(other.Requests);
        Assert.All(other.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task Content_that_is_not_what_its_descriptor_names_is_never_finished()
    {
        byte[] damaged = Bytes(Large);
        damaged[Large / 2] ^= 1;
        _image.Replace(_image.Layers[0].Digest, damaged);

        ContentMismatchException failure = await Assert.ThrowsAsync<ContentMismatchException>(PushAsync);

        Assert.Contains(Layer, failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, Target.Count("DELETE", "/uploads/"));
        Assert.DoesNotContain(Layer, Target.Blobs.Keys);
        Assert.Empty(Target.Manifests);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Content_of_another_size_is_never_finished(int more)
    {
        _image.Replace(_image.Layers[0].Digest, Bytes(Large + more));
        await Assert.ThrowsAsync<ContentMismatchException>(PushAsync);
        Assert.DoesNotContain(Layer, Target.Blobs.Keys);
        Assert.Empty(Target.Manifests);
        Assert.Equal(0, Target.Open);
    }

    [Fact]
    public async Task A_digest_that_is_not_the_one_of_what_was_sent_is_an_error()
    {
        Target.Fault = async context =>
        {
            bool isManifest = context.Request.Method == "PUT" && context.Request.Path.ToString().Contains("/manifests/", StringComparison.Ordinal);
            if (isManifest)
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Response.Headers["Docker-Content-Digest"] = Digest.Of("other"u8).ToString();
                context.Response.StatusCode = 201;
            }

            return isManifest;
        };
        Assert.Contains("is not the digest", (await Assert.ThrowsAsync<RegistryException>(PushAsync)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_of_another_repository_is_mounted_where_the_registry_can(bool can)
    {
        if (can)
        {
            Target.Mountable.Add(Layer);
        }

        await PushAsync("other");

        Assert.Equal(can ? 0 : 1, Target.Count("PATCH", "/uploads/"));
        Assert.Equal(2, Target.Count("POST", "from=other&") + Target.Count("POST", "from=other"));
        Assert.True(Target.Manifests.ContainsKey("34"));
    }

    [Fact]
    [Trait("Pace", "slow")]
    public async Task A_registry_that_takes_less_at_once_gets_pieces_of_the_size_that_it_wants()
    {
        const int size = 100 << 20;
        TestImage image = TestImage.OfBlobs(Bytes(size));
        Target.MinChunk = 40 << 20;
        Target.Fault = Patches(context =>
        {
            context.Response.StatusCode = 413;
            return Task.CompletedTask;
        }, context => context.Request.ContentLength > 64 << 20);

        await PushAsync(image: image);

        Assert.Equal(Digest.Of(Target.Blobs[image.Layers[0].Digest.ToString()]), image.Layers[0].Digest);
        Assert.Equal([null, "0-41943039", "41943040-83886079", "83886080-104857599"],
            Target.Requests.Where(request => request.Method == "PATCH").Select(request => request.Range).DistinctBy(range => range));
    }

    [Fact]
    public async Task The_answer_that_was_lost_is_found_by_looking()
    {
        int failures = 1;
        Target.Fault = async context =>
        {
            bool isLast = context.Request.Method == "PUT" && context.Request.QueryString.ToString().Contains(Layer[7..], StringComparison.Ordinal)
                && failures-- > 0;
            if (isLast)
            {
                Target.Blobs[Layer] = Bytes(Large);
                Target.LoseUploads();
                await context.Request.Body.CopyToAsync(Stream.Null);
                context.Abort();
            }

            return isLast;
        };
        await PushAsync();
        RequireWhole();
        Assert.Equal(1, Target.Count("PATCH", "/uploads/"));
    }

    private static Func<HttpContext, Task<bool>> Patches(Func<HttpContext, Task> answer, Func<bool> when) =>
        Patches(answer, _ => when());

    private static Func<HttpContext, Task<bool>> Patches(Func<HttpContext, Task> answer, Func<HttpContext, bool>? when = null) =>
        async context =>
        {
            bool isMeant = context.Request.Method == "PATCH" && (when is null || when(context));
            if (isMeant)
            {
                await answer(context);
            }

            return isMeant;
        };

    private void RequireWhole() => Assert.Equal(Bytes(Large), Target.Blobs[Layer]);

    private Task<Document> PushAsync() => PushAsync(mountFrom: null);

    private async Task<Document> PushAsync(string? mountFrom = null, TestImage? image = null)
    {
        await using RegistryImageDestination destination = RegistryImageDestination.Create(
            Target.Reference("fedora:34"), mountFrom, new RegistryContext(Options, NullLoggerFactory.Instance, Time, Warnings.Add));
        return await ImageCopier.CopyAllAsync(image ?? _image, destination, new RecordingProgress(), Cancel);
    }
}
