using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class ManifestTests : RegistryTests
{
    private const char Escape = (char)27;

    [Fact]
    [Fault(34, "a tag is resolved by one GET: there is no HEAD that could disagree")]
    public async Task Resolving_an_image_anonymously_takes_two_requests()
    {
        Descriptor manifest = Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        Assert.Equal(manifest, (await ResolveAsync()).Descriptor);
        Assert.Equal(["/v2/", "/v2/fedora/manifests/34"], Registry.Requests.Select(request => request.Url));
    }

    [Fact]
    [Fault(36, "schema 1 is not asked for")]
    public async Task Schema_1_is_not_asked_for()
    {
        string accept = "";
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        Registry.Fault = context =>
        {
            accept = context.Request.Headers.Accept.ToString();
            return Task.FromResult(false);
        };
        await ResolveAsync();
        Assert.Equal(string.Join(", ", MediaTypes.Manifests), accept);
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v2+json; charset=utf-8", MediaTypes.DockerManifest)]
    [InlineData("text/plain; charset=utf-8", MediaTypes.OciManifest)]
    [InlineData(null, MediaTypes.OciManifest)]
    [InlineData("application/vnd.wasm.v1", "application/vnd.wasm.v1")]
    public async Task The_media_type_is_the_servers_unless_it_says_nothing(string? contentType, string expected)
    {
        Registry.AddManifest("34", contentType, Manifest);
        Assert.Equal(expected, (await ResolveAsync()).MediaType);
    }

    [Fact]
    [Fault(32, "a manifest by SHA-512 digest is verified with it")]
    public async Task A_manifest_by_sha512_digest_is_verified_with_it()
    {
        Digest digest = Digest.Parse($"sha512:{Convert.ToHexStringLower(SHA512.HashData(Encoding.UTF8.GetBytes(Manifest)))}");
        Registry.AddManifest(digest.ToString(), MediaTypes.OciManifest, Manifest);
        Assert.Equal(digest, (await ResolveAsync($"fedora@{digest}")).Digest);
    }

    [Fact]
    [Fault(34, "a child of an index, and whatever was asked by digest, is verified by it")]
    public async Task A_manifest_that_is_not_the_one_of_the_digest_is_refused()
    {
        Digest wanted = Digest.Of("another"u8);
        Registry.AddManifest(wanted.ToString(), MediaTypes.OciManifest, Manifest);
        await using RegistryImageSource source = Source($"fedora@{wanted}");
        await Assert.ThrowsAsync<ContentMismatchException>(() => source.ResolveAsync(Cancel));
        await Assert.ThrowsAsync<ContentMismatchException>(
            () => source.ReadDocumentAsync(new Descriptor(MediaTypes.OciManifest, wanted, Manifest.Length), Cancel));
    }

    [Theory]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000", "announced a manifest with digest sha256:0000")]
    [InlineData("sha256:../../etc/passwd", "invalid digest 'sha256:../../etc/passwd'")]
    [Fault(34, "a Docker-Content-Digest that disagrees with the body is an error")]
    public async Task An_announced_digest_that_does_not_fit_is_an_error(string announced, string error)
    {
        Registry.AddManifest("34", MediaTypes.OciManifest, Manifest);
        Registry.Fault = context =>
        {
            context.Response.Headers["Docker-Content-Digest"] = announced;
            return Task.FromResult(false);
        };
        OciException failure = await Assert.ThrowsAnyAsync<OciException>(() => ResolveAsync());
        Assert.Contains(error, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(35, "a manifest is read up to 4 MiB")]
    public async Task A_manifest_without_end_is_given_up_at_the_limit()
    {
        long sent = 0;
        Registry.Fault = async context =>
        {
            if (!context.Request.Path.ToString().Contains("manifests", StringComparison.Ordinal))
            {
                return false;
            }

            context.Response.ContentType = MediaTypes.OciManifest;
            byte[] spaces = new byte[1 << 16];
            while (sent < 1 << 30 && !context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(spaces);
                sent += spaces.Length;
            }

            return true;
        };
        RegistryException failure = await FailureAsync();
        Assert.EndsWith("fedora: manifest '34' is larger than 4 MiB", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(35, "a descriptor that claims more is refused without a request")]
    public async Task A_descriptor_that_claims_too_much_is_refused_without_a_request()
    {
        await using RegistryImageSource source = Source();
        await Assert.ThrowsAsync<RegistryException>(() => source.ReadDocumentAsync(
            new Descriptor(MediaTypes.OciManifest, Digest.Of("x"u8), long.MaxValue), Cancel));
        Assert.Empty(Registry.Requests);
    }

    [Theory]
    [InlineData(404, "MANIFEST_UNKNOWN", "manifest '34': manifest unknown: the repository has no such tag or digest")]
    [InlineData(404, "NAME_UNKNOWN", "name unknown: the registry has no such repository, or it is private")]
    [InlineData(404, "", "not found: the image does not exist, or it is private: said")]
    [InlineData(403, "DENIED", "access denied by http://127.0.0.1")]
    [InlineData(401, "UNAUTHORIZED", "authentication required: no credentials were asked for, or the image does not exist")]
    [InlineData(429, "TOOMANYREQUESTS", "too many requests: http://127.0.0.1")]
    [InlineData(502, "UNKNOWN", "502 Bad Gateway from http://127.0.0.1")]
    [Fault(29, "401, 403 and 404, MANIFEST_UNKNOWN and NAME_UNKNOWN are told apart")]
    public async Task Errors_of_the_registry_are_told_apart(int status, string code, string expected)
    {
        Registry.Fault = async context =>
        {
            if (context.Request.Path == "/v2/")
            {
                return false;
            }

            await FaultRegistry.WriteErrorAsync(context, status, code, "said");
            return true;
        };
        RegistryException failure = await FailureAsync();
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode)status, failure.Status);
        Assert.Equal(code, failure.Code);
    }

    [Fact]
    [Fault(38, "a page instead of a document is named, with its first 50 bytes, escaped")]
    public async Task A_captive_portal_is_recognised_and_what_it_says_is_escaped()
    {
        Registry.Fault = async context =>
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            await context.Response.WriteAsync($"<html>{Escape}]0;pwn{new string('x', 100)}");
            return true;
        };
        RegistryException failure = await FailureAsync();
        Assert.Contains("unexpected content type text/html from http://127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.Contains(@"'<html>\x1b]0;pwnxxx", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Length, 0, 250);
    }

    [Fact]
    [Fault(38, "what a registry says is escaped and shortened")]
    public async Task What_a_registry_says_is_escaped_and_shortened()
    {
        Registry.Fault = async context =>
        {
            await FaultRegistry.WriteErrorAsync(context, 404, @"X\u001b[2J", @"\u001b]0;" + new string('a', 5000));
            return true;
        };
        RegistryException failure = await FailureAsync();
        Assert.Contains(@"x\x1b[2j: \x1b]0;aaa", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Length, 0, 500);
    }
}
