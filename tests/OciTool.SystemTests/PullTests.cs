using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Every kind of image that the peers push, from every kind of registry, can be pulled and run.</summary>
public sealed class PullTests(Machine machine) : OciTest(machine)
{
    public static TheoryData<string, string, string, bool, RegistryAuth> Matrix()
    {
        (string Peer, string Format, string Compression, bool IsMulti)[] images =
        [
            ("docker", "v2s2", "gzip", false), ("docker", "v2s2", "gzip", true),
            ("podman", "v2s2", "gzip", false), ("podman", "oci", "gzip", false), ("podman", "oci", "zstd", false),
            ("podman", "v2s2", "gzip", true), ("podman", "oci", "gzip", true),
            ("buildah", "v2s2", "gzip", false), ("buildah", "oci", "gzip", false), ("buildah", "oci", "zstd", false),
            ("buildah", "v2s2", "gzip", true), ("buildah", "oci", "gzip", true),
            ("skopeo", "v2s2", "gzip", false), ("skopeo", "oci", "gzip", false), ("skopeo", "oci", "zstd", false),
            ("skopeo", "v2s2", "gzip", true), ("skopeo", "oci", "gzip", true), ("skopeo", "oci", "zstd", true),
        ];
        TheoryData<string, string, string, bool, RegistryAuth> rows = [];
        foreach (var image in images)
        {
            foreach (RegistryAuth auth in Enum.GetValues<RegistryAuth>().Except([RegistryAuth.MutualTls])) // that has tests of its own
            {
                rows.Add(image.Peer, image.Format, image.Compression, image.IsMulti, auth);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task An_image_of_a_peer_is_pulled_and_runs(
        string peer, string format, string compression, bool isMultiArchitecture, RegistryAuth auth)
    {
        string repository = await Machine.Peers.PushAsync(peer, format, compression, isMultiArchitecture);
        string image = $"{(await Machine.RegistryAsync(auth)).Host}/{repository}:latest";
        (string, string?)[] environment = auth == RegistryAuth.Tls ? [("SSL_CERT_FILE", Machine.AuthorityFile)] : [];
        string[] credentials = auth is RegistryAuth.Basic or RegistryAuth.Bearer
            ? ["--creds", RegistryProcess.Credentials]
            : [];

        ProgramResult pull = await Oci.RunAsync(environment, input: null, ["pull", .. credentials, image]);

        Assert.Matches("^[0-9a-f]{64}\n$", pull.Succeeded().Output);
        ProgramResult run = await Oci.RunAsync("run", "--rm", "--pull", "never", image, "cat", "/etc/redhat-release");
        Assert.Equal("Fedora release 34 (Thirty Four)\n", run.Succeeded().Output);
    }

    [Fact]
    public async Task The_image_that_was_pulled_is_the_image_that_was_pushed()
    {
        string image = await Machine.PlainAsync();

        ProgramResult pull = await Oci.RunAsync("pull", image);

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
    }

    [Fact]
    public async Task Quiet_prints_the_image_id_and_nothing_else()
    {
        ProgramResult pull = await Oci.RunAsync("pull", "-q", await Machine.PlainAsync());

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
        Assert.Equal("", pull.Error);
    }

    [Fact]
    public async Task Progress_goes_to_standard_error_as_plain_lines_when_that_is_no_terminal()
    {
        ProgramResult pull = await Oci.RunAsync("pull", await Machine.PlainAsync());

        Assert.DoesNotContain("\e", pull.Succeeded().Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\r", pull.Error, StringComparison.Ordinal);
        Assert.Contains(Machine.Images.Plain.Layer().Digest["sha256:".Length..][..12], pull.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_digest_names_the_image_as_well_as_a_tag()
    {
        string repository = (await Machine.PlainAsync()).Replace(":latest", "", StringComparison.Ordinal);
        string image = $"{repository}@{Machine.Images.Plain.Document.Digest}";

        ProgramResult pull = await Oci.RunAsync("pull", "-q", image);

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
        Assert.Equal("ok\n", (await Oci.RunAsync("run", "--rm", image, "echo", "ok")).Succeeded().Output);
    }

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task Credentials_come_from_the_file_that_authfile_names(RegistryAuth auth)
    {
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(auth)).Host;
        await WriteAuthAsync(Oci["auth.json"], host);

        ProgramResult pull = await Oci.RunAsync("pull", "-q", "--authfile", Oci["auth.json"], $"{host}/busybox");

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
    }

    [Fact]
    public async Task Credentials_of_docker_login_are_used()
    {
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        Directory.CreateDirectory(Oci["docker"]);
        await WriteAuthAsync(Oci["docker/config.json"], host);

        ProgramResult pull = await Oci.RunAsync(
            [("DOCKER_CONFIG", Oci["docker"])], input: null, "pull", "-q", $"{host}/busybox");

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
    }

    [Fact]
    public async Task Credentials_come_from_a_credential_helper()
    {
        await Machine.PlainAsync();
        string host = (await Machine.RegistryAsync(RegistryAuth.Basic)).Host;
        string[] credentials = RegistryProcess.Credentials.Split(':');
        Directory.CreateDirectory(Oci["bin"]);
        string helper = Oci["bin/docker-credential-test"];
        await File.WriteAllTextAsync(helper, $$"""
            #!/bin/sh
            cat > {{Oci["asked"]}}
            echo '{"ServerURL":"{{host}}","Username":"{{credentials[0]}}","Secret":"{{credentials[1]}}"}'
            """, Cancellation);
        File.SetUnixFileMode(helper, (UnixFileMode)0b111_101_101);
        await File.WriteAllTextAsync(Oci["auth.json"], $$"""{"credHelpers":{"{{host}}":"test"} }""", Cancellation);

        ProgramResult pull = await Oci.RunAsync(
            [("PATH", $"{Oci["bin"]}:{Environment.GetEnvironmentVariable("PATH")}")], input: null,
            "pull", "-q", "--authfile", Oci["auth.json"], $"{host}/busybox");

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
        Assert.Equal(host, (await File.ReadAllTextAsync(Oci["asked"], Cancellation)).Trim());
    }

    [Fact]
    public async Task A_registry_with_an_unknown_authority_is_refused_unless_verification_is_off()
    {
        await Machine.PlainAsync();
        string image = $"{(await Machine.RegistryAsync(RegistryAuth.Tls)).Host}/busybox";

        Failed(await Oci.RunAsync("pull", "--tls-verify=true", image), 125, "certificate");
        ProgramResult pull = await Oci.RunAsync("pull", "-q", "--tls-verify=false", image);

        Assert.Equal($"{Machine.Images.Plain.Id}\n", pull.Succeeded().Output);
    }

    [Fact]
    public async Task Run_pulls_an_image_that_is_absent()
    {
        ProgramResult run = await Oci.RunAsync("run", "--rm", await Machine.PlainAsync(), "echo", "here");

        Assert.Equal("here\n", run.Succeeded().Output);
    }

    [Fact]
    public async Task Run_with_pull_never_does_not_pull() =>
        Failed(await Oci.RunAsync("run", "--rm", "--pull=never", await Machine.PlainAsync(), "true"), 125, "image not known");

    [Fact]
    public async Task Run_with_pull_newer_runs_the_image_that_the_tag_names_now()
    {
        TestImage first = Machine.Images.With(new Layer().File("release", "first\n"));
        TestImage second = Machine.Images.With(new Layer().File("release", "second\n"));
        await using FaultRegistry registry = await FaultRegistry.StartAsync(first);
        await Oci.PullAsync(registry.Image);
        registry.Serve("latest", second);

        ProgramResult missing = await Oci.RunAsync("run", "--rm", "--pull=missing", registry.Image, "cat", "/release");
        ProgramResult newer = await Oci.RunAsync("run", "--rm", "--pull=newer", registry.Image, "cat", "/release");

        Assert.Equal("first\n", missing.Succeeded().Output);
        Assert.Equal("second\n", newer.Succeeded().Output);
    }

    [Fact]
    public async Task A_registry_that_is_overloaded_for_a_moment_is_asked_again()
    {
        TestImage image = Machine.Images.Plain;
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break("latest", Faults.Times(1, Faults.Status(503)));
        registry.Break(image.Layer().Digest, Faults.Times(1, Faults.Status(503)));

        ProgramResult pull = await Oci.RunAsync("pull", "-q", registry.Image);

        Assert.Equal($"{image.Id}\n", pull.Succeeded().Output);
    }

    [Fact]
    public async Task A_download_that_breaks_off_is_taken_up_again()
    {
        TestImage image = Machine.Images.Plain;
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break(image.Layer().Digest, Faults.Times(1, Faults.ResetAt(100_000)));

        ProgramResult pull = await Oci.RunAsync("pull", "-q", registry.Image);

        Assert.Equal($"{image.Id}\n", pull.Succeeded().Output);
        Assert.Equal("ok\n", (await Oci.RunAsync("run", "--rm", registry.Image, "echo", "ok")).Succeeded().Output);
    }

    private static Task WriteAuthAsync(string file, string host)
    {
        string auth = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(RegistryProcess.Credentials));
        return File.WriteAllTextAsync(file, $$"""{"auths":{"{{host}}":{"auth":"{{auth}}"} } }""");
    }
}
