using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class RedirectTests : RegistryTests
{
    private readonly byte[] _content = Bytes(1000);

    [Fact]
    [Fault(33, "another host or port never gets credentials, not even when it asks for them")]
    public async Task Another_port_is_another_origin_and_gets_no_password_whatever_it_asks_for()
    {
        await using FaultRegistry other = await FaultRegistry.StartAsync();
        Descriptor blob = other.AddBlob(_content);
        RedirectBlobsTo($"{other.Origin}/v2/x/blobs/{blob.Digest}?X-Amz-Signature=s");
        Options = Options with { Credentials = Credentials.Parse("user:secret") };

        Assert.Equal(_content, await PullBlobAsync(blob));
        Assert.Contains(Registry.Requests, request => request.Authorization == Basic("user:secret"));
        Assert.All(other.Requests, request => Assert.Null(request.Authorization));

        other.Fault = context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            return Task.FromResult(true);
        };
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
        Assert.Equal(401, (int)failure.Status!);
        Assert.DoesNotContain("Signature", failure.Message, StringComparison.Ordinal);
        Assert.All(other.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    [Fault(33, "a relative redirect to the same origin keeps them")]
    public async Task The_same_origin_keeps_the_password_and_the_range()
    {
        Descriptor blob = Registry.AddBlob(_content);
        RedirectBlobsTo($"/elsewhere/{blob.Digest}");
        Options = Options with { Credentials = Credentials.Parse("user:secret") };
        Assert.Equal(_content[100..], await PullBlobAsync(blob, offset: 100));
        SeenRequest last = Registry.Requests.Last();
        Assert.Equal((Basic("user:secret"), "bytes=100-"), (last.Authorization, last.Range));
    }

    [Fact]
    [Fault(33, "stopped after 10 redirects")]
    public async Task A_loop_ends_after_ten_redirects()
    {
        Descriptor blob = Registry.AddBlob(_content);
        Registry.Fault = context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "/v2/";
            return Task.FromResult(true);
        };
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
        Assert.EndsWith("stopped after 10 redirects", failure.Message, StringComparison.Ordinal);
        Assert.Equal(11, Registry.Requests.Count);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data", "refused: it is a cloud's metadata service")]
    [InlineData("file:///etc/passwd", "refused: it is neither http nor https")]
    [InlineData("http://", "a redirect without a usable Location")]
    [InlineData(null, "a redirect without a usable Location")]
    [Fault(33, "no Location, another scheme or a metadata service is refused")]
    public async Task A_redirect_to_a_place_that_is_none_for_us_is_refused(string? location, string cause)
    {
        Descriptor blob = Registry.AddBlob(_content);
        RedirectBlobsTo(location);
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => PullBlobAsync(blob));
        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://quay.io/", "https://cdn.quay.io/", true)]
    [InlineData("https://quay.io/", "https://8.8.8.8/", true)]
    [InlineData("https://quay.io/", "https://127.0.0.1/", false)]
    [InlineData("https://quay.io/", "https://127.1/", false)]
    [InlineData("https://quay.io/", "https://2130706433/", false)]
    [InlineData("https://quay.io/", "https://localhost./", false)]
    [InlineData("https://quay.io/", "https://10.0.0.1/", false)]
    [InlineData("https://quay.io/", "https://172.20.0.1/", false)]
    [InlineData("https://quay.io/", "https://192.168.1.1/", false)]
    [InlineData("https://quay.io/", "https://100.64.0.1/", false)]
    [InlineData("https://quay.io/", "https://0.0.0.0/", false)]
    [InlineData("https://quay.io/", "https://[::1]/", false)]
    [InlineData("https://quay.io/", "https://[fe80::1]/", false)]
    [InlineData("https://quay.io/", "https://[fd00::1]/", false)]
    [InlineData("https://quay.io/", "https://[::ffff:10.0.0.1]/", false)]
    [InlineData("https://10.0.0.2/", "https://10.0.0.1/", true)]
    [InlineData("http://localhost:5000/", "http://127.0.0.1:5001/", true)]
    [InlineData("http://localhost:5000/", "http://169.254.169.254/", false)]
    [InlineData("http://localhost:5000/", "http://[::ffff:169.254.169.254]/", false)]
    [Fault(33, "a public registry cannot send us to a loopback, link-local or private address")]
    public void A_public_server_cannot_send_us_into_our_own_network(string from, string to, bool isAllowed) =>
        Assert.Equal(isAllowed, Addresses.Refusal(new Uri(from), new Uri(to)) is null);

    private void RedirectBlobsTo(string? location) => Registry.Fault = context =>
    {
        if (Options.Credentials is not null && string.IsNullOrEmpty(context.Request.Headers.Authorization))
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            return Task.FromResult(true);
        }

        bool isBlob = context.Request.Path.ToString().Contains("/fedora/blobs/", StringComparison.Ordinal);
        if (isBlob)
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = location;
        }

        return Task.FromResult(isBlob);
    };
}
