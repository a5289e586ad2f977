using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Audit;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>A container of ours beside one of podman and runc, both of one image on this machine: no property may be weaker.</summary>
/// <remarks>docs/security.md is written from what is seen here and from the tests that have a <see cref="CveAttribute"/>.</remarks>
public sealed class IsolationAuditTests(Machine machine) : OciTest(machine)
{
    private const string WriteVariable = "OCI_WRITE_DOCS";

    // podman cannot raise limits on every machine, and the same limits make the two comparable
    private static readonly string[] Options =
        ["--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];

    private static readonly Lazy<Task<byte[]>> Probe = new(BuildAsync);

    // half a minute, and the tests of a class run one after the other
    private static Audited? _audited;

    [Fact]
    public async Task No_property_of_a_container_is_weaker_than_with_podman_unless_it_is_said_why()
    {
        Audited audited = _audited ??= await AuditAsync();

        Assert.Empty(audited.Rows.Where(row => row.Verdict == "WEAKER").Select(row => row.ToString()));
        Assert.Empty(Differences.Reasons.Keys.Except(Differences.DependOnTheHost)
            .Except(audited.Rows.Where(row => row.Verdict != "equal").Select(row => row.Property)));
    }

    [Fact]
    public async Task The_document_is_what_was_seen_and_what_the_tests_say()
    {
        Need.That(RuntimeInformation.OSArchitecture == Architecture.X64, "the document is about x86-64");
        string file = Path.Join(Here(), "../../../docs/security.md");
        string generated = SecurityDocument.Generate(_audited ??= await AuditAsync(), ShownAttack.In(Path.Join(Here(), "../..")));
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            await File.WriteAllTextAsync(file, generated, Cancellation);
        }

        Assert.True(
            await File.ReadAllTextAsync(file, Cancellation) == generated,
            $"docs/security.md is not up to date: run the tests with {WriteVariable}=1 and commit it");
    }

    [Fact]
    public void Every_known_attack_has_a_test_or_a_reason_why_it_needs_none()
    {
        string[] shown = [.. ShownAttack.In(Path.Join(Here(), "../..")).Select(attack => attack.Id)];
        Assert.Empty(KnownAttacks.Ids.Except(shown).Except(KnownAttacks.WithoutTest.Keys));
        Assert.Empty(KnownAttacks.WithoutTest.Keys.Intersect(shown));
        Assert.Empty(shown.Except(KnownAttacks.Ids));
    }

    private async Task<Audited> AuditAsync()
    {
        Need.Programs("podman", "runc");
        JsonObject config = new() { ["Cmd"] = new JsonArray("sh") };
        Layer probe = new Layer().Program("probe", await Probe.Value);
        string image = await Machine.PublishAsync("audit", TestImage.Of(config, "amd64", Machine.Images.PlainLayer, probe.ToTar()));
        await Oci.PullAsync(image);
        string[] podman = [.. Machine.Peers.StorageArguments, "--runtime", "runc"];
        (await Shell.RunAsync("podman", [.. podman, "pull", "-q", "--tls-verify=false", image])).Succeeded();

        Task<ProgramResult> OursAsync(string[] options, string[] command) =>
            Oci.RunAsync(["run", .. Options, .. options, image, .. command]);

        // Debian's configuration of podman, without the administrator's
        Task<ProgramResult> TheirsAsync(string[] options, string[] command) => Shell.RunAsync(
            "podman", [.. podman, "run", .. Options, .. options, image, .. command]);

        return await Audited.CompareAsync(OursAsync, TheirsAsync);
    }

    private static async Task<byte[]> BuildAsync()
    {
        Need.Programs("clang");
        using TemporaryDirectory directory = new();
        (await Shell.RunAsync("clang", "-O1", "-static", "-Wall", "-Wextra", "-Werror", "-o", directory["probe"], Path.Join(Here(), "probe.c"))).Succeeded();
        return await File.ReadAllBytesAsync(directory["probe"], Cancellation);
    }

    private static string Here([CallerFilePath] string here = "") => Path.Join(Path.GetDirectoryName(here), "Audit");
}
