using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Signatures of images: made with openssl, found in a registry, asked for by a policy or by hand.</summary>
public sealed class VerificationTests(Machine machine) : OciTest(machine)
{
    private string _host = "";
    private string _repository = "";
    private TestImage _content = null!;
    private Signer _signer = null!;

    private string Name => $"{_host}/{_repository}";

    private string Image => $"{Name}:latest";

    private string Digest => _content.Document.Digest;

    private string SignatureTag => $"{Digest.Replace(':', '-')}.sig";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _host = await Machine.HostAsync();
        _repository = $"signed/{Guid.NewGuid():N}";
        _content = Machine.Images.Plain;
        await RegistryWriter.PushAsync(_host, _repository, "latest", _content);
        _signer = await Signer.CreateAsync(Oci["trusted"]);
    }

    [Fact]
    public async Task A_signed_image_is_verified_by_its_key()
    {
        await SignAsync(_signer, Name);

        ProgramResult verify = await VerifyAsync();

        Assert.Equal(
            [
                $"Verified:    {Image}", $"Digest:      {Digest}", $"Reference:   {Name}", $"Key:         {_signer.PublicKey}",
                $"Signature:   {Name}:{SignatureTag}", "Annotation:  signer=tester",
            ],
            verify.Succeeded().Lines);
        Assert.Equal("", verify.Error);
    }

    [Fact]
    public async Task What_was_verified_is_printed_as_JSON_or_by_a_template()
    {
        await SignAsync(_signer, Name);

        JsonNode json = JsonNode.Parse((await VerifyAsync("--json")).Succeeded().Output)![0]!;

        Assert.Equal((Digest, Name, "tester"), ((string?)json[nameof(Digest)], (string?)json["Reference"], (string?)json["Annotations"]!["signer"]));
        Assert.Equal($"{Digest} tester\n", (await VerifyAsync("--format", "{{.Digest}} {{.Annotations.signer}}")).Succeeded().Output);
        Failed(await VerifyAsync("--format", "{{.Nope}}"), 125, "Nope");
    }

    [Theory]
    [InlineData("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")]
    [InlineData("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")]
    public async Task Other_keys_of_cosign_verify_as_well(params string[] algorithm)
    {
        Signer other = await Signer.CreateAsync(Oci["other"], algorithm);
        await SignAsync(other, Name);

        Failed(await VerifyAsync(), 125, "is not by the key");
        (await Oci.RunAsync("verify", "--key", _signer.PublicKey, "--key", other.PublicKey, Image)).Succeeded();
    }

    [Fact]
    public async Task A_signature_among_the_referrers_is_found_by_their_tag()
    {
        string payload = Signer.Payload(Digest, Name);
        TestImage artifact = Signer.Artifact(_content.Document, (payload, await _signer.SignAsync(payload)));
        await RegistryWriter.PushAsync(_host, _repository, Digest.Replace(':', '-'), Signer.Referrers(artifact));

        ProgramResult verify = await VerifyAsync();

        Assert.Contains($"Signature:   {Name}@{artifact.Document.Digest}", verify.Succeeded().Lines);
    }

    [Fact]
    public async Task A_referrer_that_refers_to_another_image_does_not_count()
    {
        string payload = Signer.Payload(Digest, Name);
        TestImage artifact = Signer.Artifact(new Blob("other"u8.ToArray(), TestImage.ManifestType), (payload, await _signer.SignAsync(payload)));
        await RegistryWriter.PushAsync(_host, _repository, Digest.Replace(':', '-'), Signer.Referrers(artifact));

        Failed(await VerifyAsync(), 125, "no signature exists");
    }

    public static TheoryData<string, string> Refusals() => new()
    {
        { "none", "A signature was required, but no signature exists" },
        { "wrong key", "the signature is not by the key .*trusted.pub, or its payload was altered" },
        { "altered payload", "the signature is not by the key .*trusted.pub, or its payload was altered" },
        { "wrong digest", "the signature is for digest sha256:0{64}, not for sha256:" },
        { "wrong repository", "the signature is for the identity quay.io/other/app, which is not accepted" },
        { "truncated", "the signature is not by the key" },
        { "garbage", "the signature is not base64" },
        { "empty", "the signature is not by the key" },
        { "absent", "the signature is missing beside its payload" },
        { "not JSON", "the payload is invalid" },
        { "wrong type", "the payload is invalid: its type is 'atomic container signature'" },
        { "unknown field", "the payload is invalid: it has the unknown field 'expires'" },
        { "duplicate field", "the payload is invalid" },
        { "escape sequence", @"is not the name of an image" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_signature_that_does_not_hold_is_refused_with_its_reason_by_verify_and_by_a_policy(string kind, string cause)
    {
        await PushSignatureAsync(await MakeAsync(kind));
        string policy = await PolicyAsync(KeyPath(_signer.PublicKey, "matchRepository"));

        ProgramResult verify = await VerifyAsync();
        ProgramResult pull = await PullAsync(policy);

        Failed(verify, 125, cause, "cannot verify");
        Failed(pull, 125, cause, "Source image rejected: ");
        Assert.Contains($"Hint: the policy is {policy}, scope '{Name}'", pull.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", verify.Error + pull.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await Oci.RunAsync("image", "exists", Image)).Status);
        Assert.False(Directory.Exists(Path.Join(Oci.Root, "blobs")) && Directory.EnumerateFiles(Path.Join(Oci.Root, "blobs"), "*", SearchOption.AllDirectories).Any());
    }

    [Fact]
    public async Task One_good_signature_among_a_thousand_is_found()
    {
        string payload = Signer.Payload(Digest, Name);
        (string, string?)[] signatures = [.. Enumerable.Range(0, 999).Select(i => (payload, (string?)Convert.ToBase64String(BitConverter.GetBytes(i))))];
        await PushSignatureAsync([.. signatures, (payload, await _signer.SignAsync(payload))]);

        (await VerifyAsync()).Succeeded();
    }

    [Fact]
    public async Task More_than_a_thousand_signatures_are_refused()
    {
        string payload = Signer.Payload(Digest, Name);
        await PushSignatureAsync([.. Enumerable.Range(0, 1001).Select(i => (payload, (string?)Convert.ToBase64String(BitConverter.GetBytes(i))))]);

        Failed(await VerifyAsync(), 125, "has more than 1000 signatures");
    }

    [Fact]
    public async Task Payloads_of_more_than_four_MiB_are_refused_before_they_are_fetched()
    {
        await PushSignatureAsync([(new string(' ', 5 << 20), "AAAA")]);

        Failed(await VerifyAsync(), 125, "are larger than 4 MiB");
    }

    [Fact]
    public async Task A_key_file_that_holds_no_public_key_is_named()
    {
        string garbage = Oci["garbage.pub"];
        await File.WriteAllTextAsync(garbage, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", Cancellation);
        string text = Oci["text.pub"];
        await File.WriteAllTextAsync(text, "secret", Cancellation);
        string encrypted = Oci["encrypted.key"];
        (await Shell.RunAsync("openssl", "pkey", "-in", _signer.PrivateKey, "-aes128", "-passout", "pass:secret", "-out", encrypted)).Succeeded();
        Signer edwards = await Signer.CreateAsync(Oci["edwards"], "-algorithm", "ED25519");
        Signer small = await Signer.CreateAsync(Oci["small"], "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024");
        foreach ((string file, string cause) in new[]
        {
            (garbage, "its content is not a key"), (text, "it is not the PEM form of a public key"), (_signer.PrivateKey, "it is a private key"),
            (encrypted, "it is a private key"), (edwards.PublicKey, "an Ed25519 key is not supported"), (small.PublicKey, "1024 bits is too short"),
            (Oci["missing.pub"], "no such file"), ("/dev/zero", "longer than 65536 bytes"),
        })
        {
            string policy = await PolicyAsync(KeyPath(file, "matchRepository"));
            Failed(await Oci.RunAsync("verify", "--key", file, Image), 125, cause);
            Failed(await PullAsync(policy), 125, cause);
        }
    }

    [Fact]
    public async Task Without_a_key_there_is_nothing_to_verify_with() =>
        Failed(await Oci.RunAsync("verify", Image), 125, "--key");

    [Fact]
    public async Task A_mirror_is_verified_by_the_identity_that_was_signed()
    {
        await SignAsync(_signer, "quay.io/team/app");

        Failed(await VerifyAsync(), 125, "quay.io/team/app");
        (await VerifyAsync("--identity", "quay.io/team/app")).Succeeded();
        string mirror = $$$"""{"type":"sigstoreSigned","keyPath":"{{{_signer.PublicKey}}}","signedIdentity":{"type":"exactRepository","dockerRepository":"quay.io/team/app"} }""";
        (await PullAsync(await PolicyAsync(mirror))).Succeeded();
    }

    [Fact]
    public async Task The_signature_of_an_index_vouches_for_its_images_and_that_of_an_image_not_for_its_index()
    {
        _content = await Machine.Images.TwoArchitecturesAsync();
        await RegistryWriter.PushAsync(_host, _repository, "latest", _content);
        string policy = await PolicyAsync(KeyPath(_signer.PublicKey, "matchRepository"));
        string entry = _content.Platforms[0].Document.Digest;
        string payload = Signer.Payload(entry, Name);
        await RegistryWriter.PushAsync(_host, _repository, $"{entry.Replace(':', '-')}.sig", Signer.Artifact(null, (payload, await _signer.SignAsync(payload))));

        Failed(await PullAsync(policy), 125, "no signature exists");
        await SignAsync(_signer, Name);
        (await PullAsync(policy)).Succeeded();
    }

    [Theory]
    [InlineData("""[{"type":"reject"}]""", "Source image rejected: Running image docker://.*:latest is rejected by policy.")]
    [InlineData("""[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k.gpg"}]""", "asks for a simple signature \\(signedBy\\), which this tool cannot check")]
    [InlineData("""[{"type":"sigstoreSigned","keyPath":"/k.pub","rekorPublicKeyPath":"/r.pub"}]""", "asks for an entry in the transparency log Rekor")]
    [InlineData("""[{"type":"sigstoreSigned","fulcio":{"caPath":"/ca","oidcIssuer":"i","subjectEmail":"e"},"rekorPublicKeyPath":"/r.pub"}]""", "Fulcio")]
    public async Task What_no_signature_can_fulfil_is_refused_before_the_registry_is_asked(string requirements, string cause)
    {
        string policy = Oci["policy.json"];
        await File.WriteAllTextAsync(policy, $$"""{"default":{{requirements}}}""", Cancellation);
        string unreachable = "127.0.0.1:1/nobody/there:latest";

        Failed(await Oci.RunAsync("pull", "-q", "--signature-policy", policy, unreachable), 125, cause);
        Failed(await Oci.RunAsync("run", "--signature-policy", policy, unreachable, "true"), 125, cause);
    }

    [Fact]
    public async Task The_policy_of_the_user_is_found_without_being_named()
    {
        string home = Path.Join(Path.GetDirectoryName(Oci.Root), "home");
        foreach ((string directory, (string, string?)[] environment) in new[]
        {
            (Path.Join(home, ".config/containers"), Array.Empty<(string, string?)>()),
            (Oci["xdg/containers"], [("XDG_CONFIG_HOME", Oci["xdg"])]),
        })
        {
            Directory.CreateDirectory(directory);
            string policy = Path.Join(directory, "policy.json");
            await File.WriteAllTextAsync(policy, """{"default":[{"type":"reject"}]}""", Cancellation);
            Failed(await Oci.RunAsync(environment, input: null, "pull", "-q", Image), 125, "is rejected by policy");
            await File.WriteAllTextAsync(policy, """{"default":[{"type":"rejekt"}]}""", Cancellation);
            Failed(await Oci.RunAsync(environment, input: null, "pull", "-q", Image), 125, $"invalid signature policy {policy}: default: the requirement type 'rejekt' is not known");
            File.Delete(policy);
        }

        Failed(await PullAsync(Oci["missing.json"]), 125, "missing.json: no such file");
    }

    // Debian's skopeo and podman are built without sigstore, so that their verdicts on signatures cannot be had
    [Theory]
    [InlineData("""{"default":[ACCEPT]}""", true)]
    [InlineData("""{"default":[REJECT]}""", false)]
    [InlineData("""{"default":[ACCEPT,REJECT]}""", false)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"HOST":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"HOST/signed":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"HOST/sign":[ACCEPT]}}}""", false)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"NAME":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"NAME:latest":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"NAME:other":[ACCEPT]}}}""", false)]
    [InlineData("""{"default":[ACCEPT],"transports":{"docker":{"NAME:latest":[REJECT],"NAME":[ACCEPT]}}}""", false)]
    [InlineData("""{"default":[ACCEPT],"transports":{"docker":{"HOST":[REJECT],"NAME":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"*.0.0.1":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[ACCEPT],"transports":{"docker":{"*.0.1":[REJECT],"*.0.0.1":[ACCEPT]}}}""", true)]
    [InlineData("""{"default":[REJECT],"transports":{"docker":{"*.1.0.1":[ACCEPT]}}}""", false)]
    [InlineData("""{"default":[REJECT],"transports":{"oci":{"":[ACCEPT]}}}""", false)]
    [InlineData("""{"default":[]}""", false)]
    [InlineData("""{"transports":{}}""", false)]
    [InlineData("""{"default":[ACCEPT],"default":[ACCEPT]}""", false)]
    [InlineData("""{"default":[ACCEPT],"other":[]}""", false)]
    [InlineData("""{"default":[{"type":"insecureAcceptAnything","x":1}]}""", false)]
    [InlineData("""{"default":[{"type":"unknown"}]}""", false)]
    public async Task Skopeo_comes_to_the_same_verdict(string policy, bool isAccepted)
    {
        Need.Programs("skopeo");
        string file = Oci["policy.json"];
        await File.WriteAllTextAsync(
            file,
            policy.Replace("ACCEPT", """{"type":"insecureAcceptAnything"}""", StringComparison.Ordinal).Replace("REJECT", """{"type":"reject"}""", StringComparison.Ordinal)
                .Replace("NAME", Name, StringComparison.Ordinal).Replace("HOST", _host, StringComparison.Ordinal),
            Cancellation);

        ProgramResult skopeo = await Shell.RunAsync(
            "skopeo", "--policy", file, "copy", "-q", "--src-tls-verify=false", $"docker://{Image}", $"dir:{Oci["copied"]}");
        ProgramResult pull = await PullAsync(file);

        Assert.True((skopeo.Status == 0, pull.Status == 0) == (isAccepted, isAccepted), $"{skopeo}\n{pull}");
    }

    private Task<ProgramResult> VerifyAsync(params string[] options) =>
        Oci.RunAsync(["verify", "--key", _signer.PublicKey, .. options, Image]);

    private Task<ProgramResult> PullAsync(string policy) => Oci.RunAsync("pull", "-q", "--signature-policy", policy, Image);

    private async Task SignAsync(Signer signer, string reference)
    {
        string payload = Signer.Payload(Digest, reference);
        await PushSignatureAsync([(payload, await signer.SignAsync(payload))]);
    }

    private async Task PushSignatureAsync((string Payload, string? Signature)[] signatures)
    {
        if (signatures.Length > 0)
        {
            await RegistryWriter.PushAsync(_host, _repository, SignatureTag, Signer.Artifact(subject: null, signatures));
        }
    }

    private async Task<(string Payload, string? Signature)[]> MakeAsync(string kind)
    {
        string payload = Signer.Payload(Digest, Name);
        switch (kind)
        {
            case "none":
                return [];
            case "wrong key":
                return [(payload, await (await Signer.CreateAsync(Oci["stranger"])).SignAsync(payload))];
            case "altered payload":
                return [(payload.Replace("tester", "Tester", StringComparison.Ordinal), await _signer.SignAsync(payload))];
            case "truncated":
                return [(payload, Convert.ToBase64String(Convert.FromBase64String(await _signer.SignAsync(payload))[..40]))];
            case "garbage":
                return [(payload, "\e[31mno signature")];
            case "empty":
                return [(payload, "")];
            case "absent":
                return [(payload, null)];
            default:
                string signed = kind switch
                {
                    "wrong digest" => Signer.Payload($"sha256:{new string('0', 64)}", Name),
                    "wrong repository" => Signer.Payload(Digest, "quay.io/other/app"),
                    "not JSON" => "{",
                    "wrong type" => payload.Replace("cosign container image signature", "atomic container signature", StringComparison.Ordinal),
                    "unknown field" => payload.Replace("\"type\"", "\"expires\":1,\"type\"", StringComparison.Ordinal),
                    "duplicate field" => payload.Replace("\"type\"", "\"type\":\"x\",\"type\"", StringComparison.Ordinal),
                    _ => Signer.Payload(Digest, "\e[31mquay.io/app"),
                };
                return [(signed, await _signer.SignAsync(signed))];
        }
    }

    private static string KeyPath(string file, string identity) =>
        $$$"""{"type":"sigstoreSigned","keyPath":"{{{file}}}","signedIdentity":{"type":"{{{identity}}}"} }""";

    private async Task<string> PolicyAsync(string requirement)
    {
        string file = Oci["policy.json"];
        await File.WriteAllTextAsync(file, $$$"""{"default":[{"type":"reject"}],"transports":{"docker":{"{{{Name}}}":[{{{requirement}}}]} } }""", Cancellation);
        return file;
    }
}
