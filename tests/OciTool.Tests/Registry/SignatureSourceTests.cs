using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using OciTool.Images;
using OciTool.Images.Verification;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class SignatureSourceTests : RegistryTests
{
    private const string PayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";

    private readonly Document _image = new(MediaTypes.OciManifest, System.Text.Encoding.UTF8.GetBytes(Manifest));

    [Fact]
    public async Task An_image_without_signatures_has_none()
    {
        Assert.Empty(await ReadAsync());
        Assert.Equal(
            [
                "/v2/", $"/v2/app/manifests/sha256-{_image.Digest.Hex}.sig",
                $"/v2/app/referrers/{_image.Digest}?artifactType=application%2Fvnd.dev.cosign.artifact.sig.v1%2Bjson",
                $"/v2/app/manifests/sha256-{_image.Digest.Hex}",
            ],
            Registry.Requests.Select(request => request.Url));
    }

    [Fact]
    public async Task Those_under_the_tag_and_those_of_the_referrers_come_once_each()
    {
        string one = Artifact(_image, ("one", "c2ln"), ("one", "b3RoZXI="));
        string two = Artifact(_image, ("one", "c2ln"), ("two", null));
        Registry.AddManifest($"sha256-{_image.Digest.Hex}.sig", MediaTypes.OciManifest, one);
        List(Registry.AddManifest("x", MediaTypes.OciManifest, two));
        Assert.Equal([("one", "c2ln"), ("one", "b3RoZXI="), ("two", null)], await ReadAsync());
    }

    [Fact]
    public async Task A_referrer_of_another_type_or_subject_is_passed_over()
    {
        Descriptor other = Registry.AddManifest("x", MediaTypes.OciManifest, Artifact(new Document(MediaTypes.OciManifest, "x"u8.ToArray()), ("one", "c2ln")));
        Descriptor sbom = Registry.AddManifest("y", MediaTypes.OciManifest, Artifact(_image, ("two", "c2ln")));
        List(other, sbom with { ArtifactType = "application/spdx+json" });
        Assert.Empty(await ReadAsync());
    }

    [Fact]
    public async Task Layers_of_another_type_are_no_signatures()
    {
        string attestation = Artifact(subject: null, ("one", "c2ln")).Replace(PayloadType, "application/vnd.dsse.envelope.v1+json", StringComparison.Ordinal);
        Registry.AddManifest($"sha256-{_image.Digest.Hex}.sig", MediaTypes.OciManifest, attestation);
        Assert.Empty(await ReadAsync());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("no JSON")]
    [InlineData("""{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:../..","size":2},"layers":[]}""")]
    public async Task A_manifest_that_is_none_fails_and_is_not_passed_over(string manifest)
    {
        Registry.AddManifest($"sha256-{_image.Digest.Hex}.sig", MediaTypes.OciManifest, manifest);
        await Assert.ThrowsAsync<InvalidDocumentException>(ReadAsync);
    }

    [Fact]
    public async Task A_payload_that_differs_from_its_descriptor_fails()
    {
        Registry.AddManifest($"sha256-{_image.Digest.Hex}.sig", MediaTypes.OciManifest, Artifact(subject: null, ("one", "c2ln")));
        Registry.Fault = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal))
            {
                return false;
            }

            await context.Response.WriteAsync("two", Cancel);
            return true;
        };
        await Assert.ThrowsAsync<ContentMismatchException>(ReadAsync);
    }

    [Fact]
    public async Task A_registry_that_fails_is_not_one_without_signatures()
    {
        Options = Options with { Retries = 0 };
        Registry.Fault = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/referrers/", StringComparison.Ordinal))
            {
                return false;
            }

            await FaultRegistry.WriteErrorAsync(context, 403, "DENIED", "no");
            return true;
        };
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await Assert.ThrowsAsync<RegistryException>(ReadAsync)).Status);
    }

    [Fact]
    public async Task An_index_of_too_many_referrers_ends_it()
    {
        List([.. Enumerable.Range(0, 65).Select(i => Registry.AddManifest($"x{i}", MediaTypes.OciManifest, Artifact(_image, ($"{i}", "c2ln"))))]);
        Assert.Contains("more than 64 manifests of signatures", (await Assert.ThrowsAsync<RegistryException>(ReadAsync)).Message, StringComparison.Ordinal);
    }

    private void List(params Descriptor[] entries)
    {
        string list = string.Join(',', entries.Select(entry =>
            $$"""{"mediaType":"{{entry.MediaType}}","digest":"{{entry.Digest}}","size":{{entry.Size}},"artifactType":"{{entry.ArtifactType ?? SignatureManifest.ArtifactType}}"}"""));
        Registry.Fault = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/referrers/", StringComparison.Ordinal))
            {
                return false;
            }

            context.Response.ContentType = MediaTypes.OciIndex;
            await context.Response.WriteAsync($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{list}}]}""", Cancel);
            return true;
        };
    }

    private string Artifact(Document? subject, params (string Payload, string? Signature)[] signatures)
    {
        string layers = string.Join(',', signatures.Select(signature =>
        {
            Descriptor blob = Registry.AddBlob(System.Text.Encoding.UTF8.GetBytes(signature.Payload));
            string annotations = signature.Signature is null ? "" : $$$""","annotations":{"dev.cosignproject.cosign/signature":"{{{signature.Signature}}}"}""";
            return $$"""{"mediaType":"{{PayloadType}}","digest":"{{blob.Digest}}","size":{{blob.Size}}{{annotations}}}""";
        }));
        Descriptor config = Registry.AddBlob("{}"u8.ToArray());
        string refers = subject is null ? "" : $$$""","subject":{"mediaType":"{{{subject.MediaType}}}","digest":"{{{subject.Digest}}}","size":{{{subject.Bytes.Length}}}}""";
        return $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"{{{config.Digest}}}","size":2},"layers":[{{{layers}}}]{{{refers}}}}""";
    }

    private async Task<List<(string Payload, string? Signature)>> ReadAsync()
    {
        RegistrySignatures source = new(Registry.Reference("app:1"), new RegistryContext(Options, NullLoggerFactory.Instance, Time, Warnings.Add));
        List<(string, string?)> found = [];
        await foreach (ImageSignature signature in source.ReadAsync(_image, Cancel))
        {
            found.Add((System.Text.Encoding.UTF8.GetString(signature.Payload.Span), signature.Signature));
        }

        return found;
    }
}
