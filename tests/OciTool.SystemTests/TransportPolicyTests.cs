using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>The signature policy holds for archives and directories, too: which may come in is said by their scopes.</summary>
public sealed class TransportPolicyTests(Machine machine) : OciTest(machine)
{
    private const string Accept = """[{"type":"insecureAcceptAnything"}]""";
    private const string Reject = """[{"type":"reject"}]""";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Machine.Images.Plain.WriteLayout(Oci["oci"]);
        (await Shell.RunAsync("tar", "-C", Oci["oci"], "-cf", Oci["oci-archive"], ".")).Succeeded();
        (await Oci.RunAsync("load", "-q", "-i", Oci["oci"])).Succeeded();
        (await Oci.RunAsync("save", "-q", "-o", Oci["docker-archive"], "localhost/image")).Succeeded();
        (await Oci.RunAsync("save", "-q", "--format", "docker-dir", "-o", Oci["dir"], "localhost/image")).Succeeded();
        (await Oci.RunAsync("rmi", "localhost/image")).Succeeded();
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("oci-archive")]
    [InlineData("docker-archive")]
    [InlineData("dir")]
    public async Task The_default_and_the_transport_decide(string transport)
    {
        string reject = await PolicyAsync(Reject);
        await RefusedAsync(transport, reject, "Source image rejected: Running image .*is rejected by policy", $"the policy is {reject}, the default");
        await RefusedAsync(
            transport, await PolicyAsync(Accept, transport, ("", Reject)), "is rejected by policy", $"transport '{transport}'");
        await RefusedAsync(transport, await PolicyAsync(Reject, "docker", ("", Accept)), "is rejected by policy", "the default");

        await TakenAsync(transport, await PolicyAsync(Reject, transport, ("", Accept)));
    }

    [Theory]
    [InlineData("oci")]
    [InlineData("oci-archive")]
    [InlineData("dir")]
    public async Task A_path_or_what_is_above_it_is_a_scope_whatever_link_leads_there(string transport)
    {
        string home = Path.GetDirectoryName(Oci["x"])!;
        await RefusedAsync(transport, await PolicyAsync(Accept, transport, (Oci[transport], Reject)), "is rejected by policy", $"scope '{Oci[transport]}'");
        await RefusedAsync(transport, await PolicyAsync(Accept, transport, (home, Reject)), "is rejected by policy", $"scope '{home}'");
        await TakenAsync(transport, await PolicyAsync(Reject, transport, (home, Accept), ("", Reject)));
        await TakenAsync(transport, await PolicyAsync(Accept, transport, (Oci[transport][..^1], Reject), (home, Accept)));

        string policy = await PolicyAsync(Accept, transport, (Oci[transport], Reject));
        Directory.CreateSymbolicLink(Oci["link"], home);
        Failed(await Oci.RunAsync("load", "-i", Path.Join(Oci["link"], "link", transport), "--signature-policy", policy), 125, "is rejected by policy");
        Failed(await Oci.RunAsync("pull", $"{transport}:{Oci["link"]}/./{transport}/../{transport}", "--signature-policy", policy), 125, "is rejected by policy");
    }

    [Theory]
    [InlineData("""[{"type":"sigstoreSigned","keyPath":"/nonexistent"}]""", "asks for a sigstore signature")]
    [InlineData("""[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}]""", "asks for a simple signature .signedBy., which this tool cannot check")]
    [InlineData("""[{"type":"insecureAcceptAnything"},{"type":"reject"}]""", "is rejected by policy")]
    public async Task A_signature_that_is_asked_for_is_not_there(string requirement, string cause)
    {
        string policy = await PolicyAsync(requirement);
        foreach (string transport in (string[])["oci", "oci-archive", "docker-archive", "dir"])
        {
            await RefusedAsync(transport, policy, cause, "the default");
        }
    }

    [Fact]
    public async Task The_policy_of_the_user_holds_and_a_pipe_has_the_scope_of_its_transport()
    {
        string policies = Oci["home/.config/containers"];
        Directory.CreateDirectory(policies);
        File.Copy(await PolicyAsync(Accept, "docker-archive", ("", Reject)), Path.Join(policies, "policy.json"));

        Failed(await Oci.RunAsync("load", "-i", Oci["docker-archive"]), 125, "docker-archive:/.* is rejected by policy");
        ProgramResult pipe = await Shell.RunAsync(
            "sh", ["-c", "in=$1; shift; exec \"$@\" <\"$in\"", "sh", Oci["docker-archive"], Fixtures.Oci.Binary, .. Oci.Arguments("load")], Oci.CleanEnvironment());
        Failed(pipe, 125, "docker-archive:the standard input is rejected by policy");
        (await Oci.RunAsync("load", "-q", "-i", Oci["oci-archive"])).Succeeded();
    }

    [Theory]
    [InlineData("docker-archive", "/x", "docker-archive: it has no scopes but the default")]
    [InlineData("oci", "/", "oci: the scope '/' is the default scope")]
    [InlineData("oci-archive", "x", "must be an absolute path")]
    [InlineData("dir", "/x/../y", "must be an absolute path")]
    public async Task A_scope_that_never_holds_makes_the_policy_void_as_for_skopeo(string transport, string scope, string cause)
    {
        Need.Programs("skopeo");
        string policy = await PolicyAsync(Accept, transport, (scope, Reject));

        Failed(await Oci.RunAsync("load", "-i", Oci["oci-archive"], "--signature-policy", policy), 125, $"invalid signature policy {policy}: ", cause);
        Assert.NotEqual(0, (await Shell.RunAsync("skopeo", "--policy", policy, "copy", $"oci:{Oci["oci"]}:image", $"dir:{Oci["copy"]}")).Status);
    }

    private async Task RefusedAsync(string transport, string policy, string cause, string hint)
    {
        foreach (string[] words in (string[][])[["load", "-i", Oci[transport]], ["pull", $"{transport}:{Oci[transport]}"]])
        {
            ProgramResult result = await Oci.RunAsync([.. words, "--signature-policy", policy]);
            Failed(result, 125, cause);
            Assert.Contains($"Hint: the policy is {policy}, ", result.Error, StringComparison.Ordinal);
            Assert.Contains(hint, result.Error, StringComparison.Ordinal);
        }

        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
    }

    private async Task TakenAsync(string transport, string policy)
    {
        (await Oci.RunAsync("load", "-q", "-i", Oci[transport], "--signature-policy", policy)).Succeeded();
        (await Oci.RunAsync("pull", "-q", $"{transport}:{Oci[transport]}", "--signature-policy", policy)).Succeeded();
        Assert.Equal([Machine.Images.Plain.Id], (await Oci.RunAsync("images", "-q", "--no-trunc")).Succeeded().Lines.Select(id => id["sha256:".Length..]));
        (await Oci.RunAsync("rmi", "--all", "--force")).Succeeded();
    }

    private async Task<string> PolicyAsync(string requirements, string? transport = null, params (string Scope, string Requirements)[] scopes)
    {
        string rules = string.Join(',', scopes.Select(scope => $"\"{scope.Scope}\":{scope.Requirements}"));
        string transports = transport is null ? "" : $$$""","transports":{"{{{transport}}}":{{{{rules}}}}}""";
        string file = Oci[$"policy-{Guid.NewGuid():n}.json"];
        await File.WriteAllTextAsync(file, $$$"""{"default":{{{requirements}}}{{{transports}}}}""", Cancellation);
        return file;
    }
}
