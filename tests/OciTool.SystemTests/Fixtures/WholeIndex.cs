using System.Text;
using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>An index as builders make them: two platforms, an attestation of buildkit, a chart of helm, and an index below it.</summary>
internal static class WholeIndex
{
    public const string Statement = """{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2"}""";

    /// <param name="images">Where the images of busybox come from.</param>
    public static TestImage Of(BusyboxImages images)
    {
        TestImage amd64 = images.Plain;
        TestImage arm64 = TestImage.Of(BusyboxImages.Config, "arm64", images.PlainLayer, new Layer().File("arm", "arm\n").ToTar());
        TestImage riscv = TestImage.Of(BusyboxImages.Config, "riscv64", new Layer().File("riscv", "riscv\n").ToTar());
        TestImage attestation = Attestation();
        JsonObject about = new()
        {
            ["vnd.docker.reference.digest"] = amd64.Document.Digest,
            ["vnd.docker.reference.type"] = "attestation-manifest",
        };
        TestImage inner = Index((riscv, "linux/riscv64", null));
        return Index((amd64, "linux/amd64", null), (arm64, "linux/arm64", null), (attestation, "unknown/unknown", about), (Chart(), null, null), (inner, null, null));
    }

    /// <summary>What buildkit writes beside each platform.</summary>
    public static TestImage Attestation()
    {
        Blob statement = new(Encoding.UTF8.GetBytes(Statement), "application/vnd.in-toto+json");
        JsonObject config = new()
        {
            ["architecture"] = "unknown",
            ["os"] = "unknown",
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(statement.Digest) },
        };
        return Manifest(ToBlob(config, "application/vnd.oci.image.config.v1+json"), statement);
    }

    public static TestImage Chart() => Manifest(
        new Blob("""{"name":"chart","version":"1"}"""u8.ToArray(), "application/vnd.cncf.helm.config.v1+json"),
        new Blob(Layer.Gzip("no tar at all"u8.ToArray()), "application/vnd.cncf.helm.chart.content.v1.tar+gzip"));

    public static TestImage Index(params (TestImage Image, string? Platform, JsonObject? Annotations)[] entries)
    {
        JsonArray manifests = [];
        foreach ((TestImage image, string? platform, JsonObject? annotations) in entries)
        {
            JsonObject entry = Descriptor(image.Document);
            if (platform?.Split('/') is [var os, var architecture])
            {
                entry["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = os };
            }

            if (annotations is not null)
            {
                entry["annotations"] = annotations.DeepClone();
            }

            manifests.Add((JsonNode)entry);
        }

        JsonObject index = new() { ["schemaVersion"] = 2, ["mediaType"] = TestImage.IndexType, ["manifests"] = manifests };
        return new(ToBlob(index, TestImage.IndexType), [], [.. entries.Select(entry => entry.Image)]);
    }

    private static TestImage Manifest(Blob config, params Blob[] layers)
    {
        JsonObject manifest = new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = TestImage.ManifestType,
            ["config"] = Descriptor(config),
            ["layers"] = new JsonArray([.. layers.Select(JsonNode (blob) => Descriptor(blob))]),
        };
        return new(ToBlob(manifest, TestImage.ManifestType), [config, .. layers], []);
    }

    private static Blob ToBlob(JsonObject document, string mediaType) => new(Encoding.UTF8.GetBytes(document.ToJsonString()), mediaType);

    private static JsonObject Descriptor(Blob blob) => new() { ["mediaType"] = blob.MediaType, ["digest"] = blob.Digest, ["size"] = blob.Content.Length };
}
