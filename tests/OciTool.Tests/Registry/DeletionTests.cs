using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class DeletionTests : RepositoryTests
{
    private readonly Digest _digest = Digest.Of("manifest"u8);

    private async Task DeleteAsync(string tagOrDigest)
    {
        await using RegistryRepository repository = Repository(RegistryAccess.Pull | RegistryAccess.Delete);
        await repository.DeleteAsync(tagOrDigest, Cancel);
    }

    private void Answer(int status) => Serve("/v2/fedora/manifests/", context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData(202)]
    [InlineData(200)]
    [InlineData(204)]
    public async Task A_manifest_is_deleted_by_its_digest(int status)
    {
        Answer(status);
        await DeleteAsync(_digest.ToString());
        SeenRequest request = Registry.Requests.Last();
        Assert.Equal(("DELETE", $"/v2/fedora/manifests/{_digest}"), (request.Method, request.Url));
        Assert.Equal(2, Registry.Requests.Count);
    }

    [Fact]
    public async Task A_token_is_asked_for_that_allows_it()
    {
        Registry.Fault = async context =>
        {
            string path = context.Request.Path;
            switch (path)
            {
                case "/token":
                    await WriteJsonAsync(context, """{"token":"t"}""");
                    return true;
                case "/v2/":
                    context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{Registry.Origin}/token\",service=\"test\"";
                    context.Response.StatusCode = 401;
                    return true;
                default:
                    context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer t" ? 202 : 401;
                    return true;
            }
        };
        await DeleteAsync(_digest.ToString());
        Assert.Equal("/token?service=test&scope=repository%3Afedora%3Apull%2Cdelete", Urls[1]);
    }

    [Fact]
    public async Task A_registry_that_deletes_nothing_is_explained()
    {
        Serve("/v2/fedora/manifests/", context => FaultRegistry.WriteErrorAsync(context, 405, "UNSUPPORTED", "The operation is unsupported."));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => DeleteAsync(_digest.ToString()));
        Assert.Contains($"/fedora: deleting '{_digest}': 405 Method Not Allowed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("REGISTRY_STORAGE_DELETE_ENABLED=true", failure.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, "DIGEST_INVALID")]
    [InlineData(405, "UNSUPPORTED")]
    public async Task A_registry_that_takes_no_tag_is_explained(int status, string code)
    {
        Serve("/v2/fedora/manifests/", context => FaultRegistry.WriteErrorAsync(context, status, code, "no"));
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => DeleteAsync("34"));
        Assert.Contains("--tag-only", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_of_a_deletion_is_not_followed()
    {
        Serve("/v2/fedora/manifests/", context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => DeleteAsync(_digest.ToString()));
        Assert.Contains("307 Temporary Redirect", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("/elsewhere", Urls);
    }

    [Fact]
    public async Task A_name_is_resolved_to_the_hash_of_what_was_sent_and_a_registry_that_says_otherwise_is_refused()
    {
        Serve("/v2/fedora/manifests/34", context =>
        {
            context.Response.Headers["Docker-Content-Digest"] = Digest.Of("other"u8).ToString();
            return WriteJsonAsync(context, Manifest, type: MediaTypes.OciManifest);
        });
        await using RegistryRepository repository = Repository();
        RegistryException failure = await Assert.ThrowsAsync<RegistryException>(() => repository.ResolveAsync(Registry.Reference("fedora:34"), Cancel));
        Assert.Contains("the registry announced a manifest with digest", failure.Message, StringComparison.Ordinal);
    }
}
