using System.Text;
using OciTool.Images;
using Xunit;

namespace OciTool.Tests.Images;

public sealed class DocumentTests
{
    private const string Hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Config = $$"""{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Hash}}","size":2}""";
    private const string Layer = $$"""{"mediaType":"{{MediaTypes.OciLayer}}+gzip","digest":"{{Hash}}","size":0}""";

    [Fact]
    public void A_manifest_keeps_its_bytes_and_their_digest()
    {
        string json = $$"""{ "schemaVersion" : 2, "config":{{Config}}, "layers":[{{Layer}}] , "unknown":{"a":1} }""";
        Document document = OfManifest(json);

        Manifest manifest = Manifest.Parse(document);

        Assert.Equal(Digest.Of(Encoding.UTF8.GetBytes(json)), document.Digest);
        Assert.Equal(Digest.Parse(Hash), manifest.Layers.Single().Digest);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[],"manifests":[]}""", "'manifests'")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[],"Manifests":[]}""", "'manifests'")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[],"fsLayers":[]}""", "'fsLayers'")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[],"layers":[]}""", "'layers' occurs twice")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[],"Layers":[]}""", "'Layers' occurs twice")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[{"mediaType":"x","digest":"sha256:../..","size":1}]}""", "invalid digest")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[{"mediaType":"x","digest":"HASH","size":-1}]}""", "negative")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[{"mediaType":"x","digest":"HASH","size":1}]}""", "unsupported media type x")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG,"layers":[{"mediaType":"x","digest":"HASH","size":1,"Size":2}]}""", "'Size' occurs twice")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"HASH","size":1},"layers":[]}""", "artifact of type application/vnd.cncf.helm")]
    [InlineData("""{"schemaVersion":1,"config":CONFIG,"layers":[]}""", "schemaVersion must be 2")]
    [InlineData("""{"schemaVersion":2,"config":CONFIG}""", "layers")]
    [InlineData("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":CONFIG,"layers":[]}""", "calls itself")]
    [InlineData("""[]""", "not a JSON object")]
    [InlineData("""7""", "not a JSON object")]
    [InlineData("""{"schemaVersion":2""", "invalid manifest")]
    [InlineData("", "invalid manifest")]
    [InlineData("<html>", "invalid manifest")]
    public void A_manifest_that_is_none_is_refused_with_the_reason(string json, string reason)
    {
        Document document = OfManifest(json.Replace("CONFIG", Config, StringComparison.Ordinal).Replace("HASH", Hash, StringComparison.Ordinal));
        InvalidDocumentException error = Assert.Throws<InvalidDocumentException>(() => Manifest.Parse(document));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Fault(37, "more than 500 layers are refused before any is fetched")]
    public void More_layers_than_can_be_stacked_are_refused_before_any_is_fetched()
    {
        string layers = string.Join(',', Enumerable.Repeat(Layer, Manifest.MaxLayers + 1));
        Document document = OfManifest($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{layers}}]}""");
        Assert.Contains("501 layers", Assert.Throws<InvalidDocumentException>(() => Manifest.Parse(document)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_beyond_64_levels_is_refused()
    {
        string deep = new string('[', 100) + new string(']', 100);
        Document document = OfManifest($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"x":{{deep}}}""");
        Assert.Throws<InvalidDocumentException>(() => Manifest.Parse(document));
    }

    [Fact]
    [Fault(36, "schema 1 is named as what it is")]
    public void Schema_1_is_named()
    {
        Document document = new("application/vnd.docker.distribution.manifest.v1+prettyjws", "{}"u8.ToArray());
        Assert.Contains("schema 1", Assert.Throws<InvalidDocumentException>(() => Manifest.Parse(document)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_with_the_fields_of_a_manifest_is_refused()
    {
        Document document = new(MediaTypes.OciIndex, Encoding.UTF8.GetBytes("""{"schemaVersion":2,"manifests":[],"layers":[]}"""));
        Assert.Contains("'layers'", Assert.Throws<InvalidDocumentException>(() => ImageIndex.Parse(document)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_config_must_have_a_diff_id_for_every_layer()
    {
        Manifest manifest = Manifest.Parse(OfManifest($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}}]}"""));
        Document config = new(MediaTypes.OciConfig, Encoding.UTF8.GetBytes("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"""));
        Assert.Contains("0 diff_ids for 1 layers", Assert.Throws<InvalidDocumentException>(() => ImageConfig.Parse(config, manifest)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":null}}""")]
    [InlineData("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}""")]
    public void A_config_without_layers_may_leave_the_list_out(string json)
    {
        ImageConfig config = ImageConfig.Parse(new Document(MediaTypes.OciConfig, Encoding.UTF8.GetBytes(json)));
        Assert.Empty(config.Rootfs.DiffIds);
    }

    [Fact]
    public void Chain_ids_are_those_of_the_specification()
    {
        Digest a = Digest.Of("a"u8);
        Digest b = Digest.Of("b"u8);
        Assert.Equal([a, Digest.Of(Encoding.ASCII.GetBytes($"{a} {b}"))], new ImageRootfs("layers", [a, b]).ChainIds());
    }

    [Fact]
    public void Bytes_that_differ_from_their_descriptor_are_refused()
    {
        Descriptor promised = new(MediaTypes.OciConfig, Digest.Of("promised"u8), 8);
        Assert.Throws<ContentMismatchException>(() => Document.Verify(promised, "tampered"u8.ToArray()));
        Assert.Throws<ContentMismatchException>(() => Document.Verify(promised with { Size = 9 }, "promised"u8.ToArray()));
        Assert.Equal(promised, Document.Verify(promised, "promised"u8.ToArray()).Descriptor);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\u001b]0;pwn\u0007", "\\x1b]0;pwn\\x07")]
    [InlineData("a\u202eb", "a\\u202eb")]
    [InlineData("a\nb\u0085", "a\\x0ab\\x85")]
    public void Text_from_outside_is_escaped_before_it_is_printed(string text, string printed) =>
        Assert.Equal(printed, Printable.Escape(text));

    [Fact]
    public void Bytes_that_are_no_utf8_are_shown_one_by_one() => Assert.Equal("caf\\xe9é", Printable.Escape([.. "caf"u8, 0xe9, .. "é"u8]));

    private static Document OfManifest(string json) => new(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(json));
}
