using System.Text;
using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A key pair of openssl(1), and signatures with it in cosign's form.</summary>
internal sealed class Signer
{
    public const string ArtifactType = "application/vnd.dev.cosign.artifact.sig.v1+json";
    private const string PayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";

    private readonly string _privateKey;

    private Signer(string path) => (_privateKey, PublicKey) = ($"{path}.key", $"{path}.pub");

    /// <summary>The PEM file of the public key.</summary>
    public string PublicKey { get; }

    /// <summary>The PEM file of the private key.</summary>
    public string PrivateKey => _privateKey;

    /// <summary>Makes a key pair.</summary>
    /// <param name="path">The path of its files, without their endings.</param>
    /// <param name="algorithm">What <c>openssl genpkey</c> takes.</param>
    public static async Task<Signer> CreateAsync(string path, params string[] algorithm)
    {
        Need.Programs("openssl");
        Signer signer = new(path);
        string[] chosen = algorithm.Length > 0 ? algorithm : ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        (await Shell.RunAsync("openssl", ["genpkey", .. chosen, "-out", signer._privateKey])).Succeeded();
        (await Shell.RunAsync("openssl", "pkey", "-in", signer._privateKey, "-pubout", "-out", signer.PublicKey)).Succeeded();
        return signer;
    }

    /// <summary>What is signed: that an image has a digest.</summary>
    public static string Payload(string digest, string reference) => new JsonObject
    {
        ["critical"] = new JsonObject
        {
            ["identity"] = new JsonObject { ["docker-reference"] = reference },
            ["image"] = new JsonObject { ["docker-manifest-digest"] = digest },
            ["type"] = "cosign container image signature",
        },
        ["optional"] = new JsonObject { ["signer"] = "tester" },
    }.ToJsonString();

    /// <summary>The signature of a text, in base64.</summary>
    public async Task<string> SignAsync(string text)
    {
        string file = $"{_privateKey}.{Guid.NewGuid():N}";
        await File.WriteAllTextAsync(file, text);
        (await Shell.RunAsync("openssl", "dgst", "-sha256", "-sign", _privateKey, "-out", $"{file}.sig", file)).Succeeded();
        return Convert.ToBase64String(await File.ReadAllBytesAsync($"{file}.sig"));
    }

    /// <summary>A manifest of signatures.</summary>
    /// <param name="subject">The image that it says it refers to, as a referrer does; null for cosign's tag.</param>
    /// <param name="signatures">Payloads and their signatures; null for a layer without one.</param>
    public static TestImage Artifact(Blob? subject, params (string Payload, string? Signature)[] signatures)
    {
        Blob config = new("{}"u8.ToArray(), "application/vnd.oci.image.config.v1+json");
        Blob[] payloads = [.. signatures.Select(signature => new Blob(Encoding.UTF8.GetBytes(signature.Payload), PayloadType))];
        JsonObject manifest = new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = TestImage.ManifestType,
            ["config"] = Descriptor(config),
            ["layers"] = new JsonArray([.. payloads.Zip(signatures, (payload, signature) =>
            {
                JsonObject layer = Descriptor(payload);
                if (signature.Signature is not null)
                {
                    layer["annotations"] = new JsonObject { ["dev.cosignproject.cosign/signature"] = signature.Signature };
                }

                return (JsonNode)layer;
            })]),
        };
        if (subject is not null)
        {
            manifest["artifactType"] = ArtifactType;
            manifest["subject"] = Descriptor(subject);
        }

        Blob document = new(Encoding.UTF8.GetBytes(manifest.ToJsonString()), TestImage.ManifestType);
        return new TestImage(document, [config, .. payloads.DistinctBy(payload => payload.Digest)], []);
    }

    /// <summary>The index that stands for the referrers of an image where a registry does not list them.</summary>
    public static TestImage Referrers(TestImage artifact)
    {
        JsonObject entry = Descriptor(artifact.Document);
        entry["artifactType"] = ArtifactType;
        JsonObject index = new() { ["schemaVersion"] = 2, ["mediaType"] = TestImage.IndexType, ["manifests"] = new JsonArray(entry) };
        return new TestImage(new Blob(Encoding.UTF8.GetBytes(index.ToJsonString()), TestImage.IndexType), [], [artifact]);
    }

    private static JsonObject Descriptor(Blob blob) => new()
    {
        ["mediaType"] = blob.MediaType,
        ["digest"] = blob.Digest,
        ["size"] = blob.Content.Length,
    };
}
