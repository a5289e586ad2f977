using System.Text;
using OciTool.Images;
using OciTool.Images.Verification;
using Xunit;

namespace OciTool.Tests.Images.Verification;

public sealed class PolicyTests
{
    private const string Everything = """[{"type":"insecureAcceptAnything"}]""";

    [Theory]
    [InlineData("quay.io/team/app:1.0", "quay.io/team/app:1.0")]
    [InlineData("quay.io/team/app:1.0", "quay.io/team/app")]
    [InlineData("quay.io/team/app:1.0", "quay.io/team")]
    [InlineData("quay.io/team/app:1.0", "quay.io")]
    [InlineData("quay.io/team/app:1.0", "*.io")]
    [InlineData("quay.io/team/app:1.0", "")]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox", "docker.io/library")]
    [InlineData("a.b.example.com:5000/x", "*.b.example.com")]
    [InlineData("a.b.example.com:5000/x", "*.com")]
    [InlineData("a.b.example.com:5000/x", "a.b.example.com:5000")]
    [InlineData("quay.io/app@sha256:0000000000000000000000000000000000000000000000000000000000000000", "quay.io/app@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    public void A_scope_names_an_image_or_something_above_it(string image, string scope) =>
        Assert.IsType<Reject>(Rule(image, scope).Requirements[0]);

    [Theory]
    [InlineData("quay.io/team/app:1.0", "quay.io/team/app:1")]
    [InlineData("quay.io/team/app:1.0", "quay.io/tea")]
    [InlineData("quay.io/team/app:1.0", "team/app")]
    [InlineData("quay.io/team/app:1.0", "*.quay.io")]
    [InlineData("quay.io/team/app:1.0", "*quay.io")]
    [InlineData("busybox", "busybox")]
    [InlineData("a.example.com:5000/x", "a.example.com")]
    public void A_scope_that_only_looks_like_it_does_not_count(string image, string scope) =>
        Assert.IsType<InsecureAcceptAnything>(Rule(image, scope).Requirements[0]);

    [Fact]
    public void The_most_specific_scope_alone_counts()
    {
        string[] scopes = ["quay.io/team/app:1", "quay.io/team/app", "quay.io/team", "quay.io", "*.io", ""];
        for (int i = 0; i < scopes.Length; i++)
        {
            string rules = string.Join(',', scopes[i..].Select((scope, at) => $"\"{scope}\":{(at == 0 ? """[{"type":"reject"}]""" : Everything)}"));
            Policy policy = Parse($$$"""{"default":{{{Everything}}},"transports":{"docker":{ {{{rules}}} } } }""");
            Assert.IsType<Reject>(policy.For(Reference.Parse("quay.io/team/app:1")).Requirements[0]);
        }
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("[]", "the policy: an object was expected")]
    [InlineData("{}", "'default' is missing")]
    [InlineData("""{"default":{}}""", "default: a list was expected")]
    [InlineData("""{"default":[]}""", "a list of requirements must not be empty")]
    [InlineData("""{"default":[{}]}""", "'type' must be there and be text")]
    [InlineData("""{"default":[1]}""", "an object was expected")]
    [InlineData("""{"default":[{"type":"Reject"}]}""", "the requirement type 'Reject' is not known")]
    [InlineData("""{"default":[{"type":"reject","Type":"x"}]}""", "the field 'Type' is not known")]
    [InlineData("""{"default":[{"type":"reject"}],"Default":[]}""", "the field 'Default' is not known")]
    [InlineData("""{"default":[{"type":"reject"}],"default":[]}""", "")]
    [InlineData("""{"default":[{"type":"reject"}]} x""", "")]
    [InlineData("""{"default":[{"type":"reject"}],"transports":{"docker":{"quay.io":[]}}}""", "docker, scope 'quay.io': a list of requirements must not be empty")]
    [InlineData("""{"default":[{"type":"reject"}],"transports":{"docker":[]}}""", "docker: an object was expected")]
    [InlineData("""{"default":[{"type":"sigstoreSigned"}]}""", "exactly one of keyPath, ")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","keyData":"YQ=="}]}""", "exactly one of keyPath, ")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":""}]}""", "the path of a key must be text")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPaths":[]}]}""", "a list of keys must not be empty")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyData":"!"}]}""", "the data of a key must be base64")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","key":"b"}]}""", "the field 'key' is not known")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"any"}}]}""", "the identity type 'any' is not known")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"matchExact","x":1}}]}""", "the field 'x' is not known")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"exactReference","dockerReference":"quay.io/a"}}]}""", "with a tag or a digest")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"exactRepository","dockerRepository":"quay.io/a:1"}}]}""", "the name of a repository")]
    [InlineData("""{"default":[{"type":"sigstoreSigned","keyPath":"/a","signedIdentity":{"type":"remapIdentity","prefix":"quay.io/a:1","signedPrefix":"b.io"}}]}""", "'prefix' must be a registry, a namespace or a repository")]
    [InlineData("""{"default":[{"type":"\u001b[31m"}]}""", @"the requirement type '\x1b[31m' is not known")]
    public void What_is_not_a_policy_is_refused_by_its_file(string json, string mistake)
    {
        OciException failure = Assert.Throws<OciException>(() => Parse(json));
        Assert.StartsWith("invalid signature policy /p.json: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(mistake, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}""", "a simple signature (signedBy)")]
    [InlineData("""{"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}}""", "a signed base layer (signedBaseLayer)")]
    [InlineData("""{"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyDatas":["YQ=="]}""", "an entry in the transparency log Rekor (rekorPublicKeyDatas)")]
    [InlineData("""{"type":"sigstoreSigned","pki":{}}""", "a certificate of a private authority (pki)")]
    public void What_cannot_be_checked_is_never_fulfilled(string requirement, string feature)
    {
        PolicyRule rule = Parse($$"""{"default":[{"type":"insecureAcceptAnything"},{{requirement}}]}""").For(Reference.Parse("quay.io/a"));
        ImageRejectedException failure = Assert.Throws<ImageRejectedException>(() => rule.RefuseOutright(Reference.Parse("quay.io/a")));
        Assert.Equal($"Source image rejected: the policy for quay.io/a:latest asks for {feature}, which this tool cannot check", failure.Message);
        Assert.Equal("the policy is /p.json, the default", failure.Hint);
    }

    [Fact]
    public void Where_there_is_no_file_everything_is_taken() =>
        Assert.IsType<InsecureAcceptAnything>(
            Policy.Load(given: null, _ => null, "/nonexistent/policy.json").For(Reference.Parse("quay.io/a")).Requirements[0]);

    [Fact]
    public void The_users_own_file_comes_before_the_machines()
    {
        DirectoryInfo home = Directory.CreateTempSubdirectory("oci-test-");
        try
        {
            string file = Path.Join(home.FullName, ".config/containers/policy.json");
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, """{"default":[{"type":"reject"}]}""");
            foreach (string variable in new[] { "HOME", "XDG_CONFIG_HOME" })
            {
                Policy policy = Policy.Load(given: null, name => name != variable ? null : variable == "HOME" ? home.FullName : Path.Join(home.FullName, ".config"));
                Assert.Equal($"{file}, the default", policy.For(Reference.Parse("quay.io/a")).Origin);
            }

            // a file that cannot be read may forbid everything
            File.Delete(file);
            Directory.CreateDirectory(file);
            Assert.Contains(file, Assert.Throws<OciException>(() => Policy.Load(given: null, name => name == "HOME" ? home.FullName : null)).Message, StringComparison.Ordinal);
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static PolicyRule Rule(string image, string scope) =>
        Parse($$$"""{"default":{{{Everything}}},"transports":{"docker":{"{{{scope}}}":[{"type":"reject"}]} } }""").For(Reference.Parse(image));

    private static Policy Parse(string json) => Policy.Parse("/p.json", Encoding.UTF8.GetBytes(json));
}
