using System.Net;
using System.Net.Sockets;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Whatever goes wrong is one clear line and the right status, and the next command works in the same store.</summary>
public sealed class BadInputTests(Machine machine) : OciTest(machine)
{
    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;

    [Fact]
    public async Task A_registry_that_is_down()
    {
        using TcpListener closed = new(IPAddress.Loopback, 0);
        closed.Start();
        string host = closed.LocalEndpoint.ToString()!;
        closed.Stop();

        Failed(await Oci.RunAsync("pull", $"{host}/busybox"), 125, host, "connection refused");
        await StillWorksAsync();
    }

    [Fact]
    public async Task OpenSsl_is_named_where_it_is_missing()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        const string Hidden = "for file in $(ldconfig -p | sed -n 's/.*libssl[.]so.* => //p'); do mount --bind \"$0\" \"$file\"; done; exec \"$@\"";
        await File.WriteAllTextAsync(Oci["empty"], "", Cancellation);

        Task<ProgramResult> WithoutAsync(params string[] arguments) => Shell.RunAsync(
            "unshare", ["-m", "--propagation", "private", "sh", "-euc", Hidden, Oci["empty"], Oci.Binary, .. Oci.Arguments(arguments)], Oci.CleanEnvironment());

        Failed(await WithoutAsync("pull", image), 125, "OpenSSL .* is not installed");
        Failed(await WithoutAsync("save", "-q", "-o", Oci["saved"], image), 125, "OpenSSL .* is not installed");
        (await WithoutAsync("--version")).Succeeded();
        await StillWorksAsync();
    }

    [Fact]
    [Fault(41, "the name is in the error")]
    public async Task A_host_that_does_not_exist() =>
        Failed(await Oci.RunAsync("pull", "registry.invalid/busybox"), 125, "registry.invalid");

    [Fact]
    public async Task A_tag_that_does_not_exist()
    {
        string image = (await Machine.PlainAsync()).Replace(":latest", ":nosuchtag", StringComparison.Ordinal);

        Failed(await Oci.RunAsync("pull", image), 125, "nosuchtag", "manifest unknown");
        await StillWorksAsync();
    }

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task No_permission(RegistryAuth auth)
    {
        await Machine.PlainAsync();
        string image = $"{(await Machine.RegistryAsync(auth)).Host}/busybox:latest";

        ProgramResult nobody = await Oci.RunAsync("pull", image);
        ProgramResult wrong = await Oci.RunAsync("pull", "--creds", "tester:wrong-password", image);

        Failed(nobody, 125, "unauthorized|denied|authentication");
        Failed(wrong, 125, "unauthorized|denied|authentication");
        Assert.DoesNotContain("wrong-password", wrong.Error, StringComparison.Ordinal);
        await StillWorksAsync();
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("too long")]
    [InlineData("one bit wrong")]
    [InlineData("html")]
    [InlineData("404")]
    [InlineData("401")]
    [InlineData("reset")]
    public async Task A_layer_that_is_not_what_the_manifest_promised(string what)
    {
        TestImage image = Machine.Images.Plain;
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        string digest = image.Layer().Digest;
        registry.Break(digest, FaultNamed(what));

        ProgramResult pull = await Oci.RunAsync("pull", registry.Image);

        Failed(pull, 125, $"{digest["sha256:".Length..][..12]}|{registry.Host}");
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        await StillWorksAsync();
        registry.Heal();
        Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", registry.Image)).Succeeded().Output);
        Assert.Equal("ok\n", (await Oci.RunAsync("run", "--rm", registry.Image, "echo", "ok")).Succeeded().Output);
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("one bit wrong")]
    [InlineData("html")]
    [InlineData("404")]
    public async Task A_configuration_that_is_not_what_the_manifest_promised(string what)
    {
        TestImage image = Machine.Images.Plain;
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break(image.Blobs[0].Digest, FaultNamed(what));

        Failed(await Oci.RunAsync("pull", registry.Image), 125);
        await StillWorksAsync();
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("one bit wrong")]
    [InlineData("html")]
    public async Task A_manifest_that_is_not_what_its_digest_promised(string what)
    {
        TestImage image = Machine.Images.Plain;
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break(image.Document.Digest, FaultNamed(what));

        Failed(await Oci.RunAsync("pull", $"{registry.Host}/busybox@{image.Document.Digest}"), 125);
        await StillWorksAsync();
    }

    [Fact]
    public async Task A_layer_that_is_no_tar()
    {
        byte[] noTar = [.. "this is not a tar archive, however long it may be"u8, .. new byte[2000]];
        TestImage image = TestImage.Of(BusyboxImages.Config, "amd64", noTar);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        ProgramResult pull = await Oci.RunAsync("pull", registry.Image);

        Failed(pull, 125, image.Layer().Digest["sha256:".Length..][..12], "tar|archive");
        await StillWorksAsync();
    }

    [Fact]
    public async Task A_layer_that_is_no_gzip()
    {
        byte[] tar = new Layer().File("file", "content").ToTar();
        TestImage image = TestImage.Of(BusyboxImages.Config, "amd64", [(tar, [0x1f, 0x8b, .. "not gzip at all"u8])]);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        Failed(await Oci.RunAsync("pull", registry.Image), 125, image.Layer().Digest["sha256:".Length..][..12]);
        await StillWorksAsync();
    }

    [Fact]
    public async Task A_layer_whose_content_is_not_what_the_configuration_promised()
    {
        byte[] promised = new Layer().File("file", "promised").ToTar();
        byte[] other = new Layer().File("file", "otherwise").ToTar();
        TestImage image = TestImage.Of(BusyboxImages.Config, "amd64", [(promised, Layer.Gzip(other))]);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);

        Failed(await Oci.RunAsync("pull", registry.Image), 125);
        await StillWorksAsync();
    }

    [Fact]
    public async Task A_full_disk()
    {
        string disk = Oci["disk"];
        Directory.CreateDirectory(disk);
        (await Shell.RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "none", disk)).Succeeded();
        try
        {
            string[] store = ["--root", $"{disk}/root", "--runroot", Oci["runroot"]];
            string large = await Machine.PublishAsync("busybox-large", Machine.Images.WithRandomLayers(2, 3_000_000));

            ProgramResult pull = await Shell.RunAsync(Oci.Binary, [.. store, "pull", large], Oci.CleanEnvironment());

            Failed(pull, 125, "no space left on device");
            (await Shell.RunAsync("mount", "-o", "remount,size=100m", disk)).Succeeded();
            string[] arguments = [.. store, "run", "--rm", large, "echo", "ok"];
            Assert.Equal("ok\n", (await Shell.RunAsync(Oci.Binary, arguments, Oci.CleanEnvironment())).Succeeded().Output);
        }
        finally
        {
            (await Shell.RunAsync("umount", disk)).Succeeded();
        }
    }

    [Fact]
    public async Task A_store_that_cannot_be_written()
    {
        string disk = Oci["disk"];
        Directory.CreateDirectory(disk);
        (await Shell.RunAsync("mount", "-t", "tmpfs", "-o", "ro", "none", disk)).Succeeded();
        try
        {
            ProgramResult pull = await Shell.RunAsync(
                Oci.Binary,
                ["--root", $"{disk}/root", "--runroot", Oci["runroot"], "pull", await Machine.PlainAsync()],
                Oci.CleanEnvironment());

            Failed(pull, 125, "read-only file system");
        }
        finally
        {
            (await Shell.RunAsync("umount", disk)).Succeeded();
        }
    }

    [Theory]
    [InlineData("unknown flag: --no-such-flag", "pull", "--no-such-flag", "x")]
    [InlineData("requires at least 1 arg", "pull")]
    [InlineData("requires at least 1 arg", "run")]
    [InlineData("unrecognized command .*nosuchverb", "nosuchverb")]
    [InlineData("invalid reference format", "pull", "quay.io/a:b:c")]
    [InlineData("nosuch: image not known", "run", "--pull=never", "nosuch", "true")]
    [InlineData("nosuch: image not known", "tag", "nosuch", "other")]
    public async Task A_wrong_command_line(string cause, params string[] arguments) =>
        Failed(await Oci.RunAsync(arguments), 125, cause);

    [Fact]
    public async Task An_env_file_that_is_absent() =>
        Failed(await RunInPlainAsync(["--env-file", Oci["absent"]], "true"), 125, "absent.*no such file or directory");

    [Fact]
    public async Task A_program_whose_interpreter_is_absent_says_so()
    {
        string image = await Machine.PublishAsync(
            "busybox-interpreter",
            Machine.Images.With(new Layer().File("script", "#!/no/such/interpreter\n", Executable)));

        ProgramResult run = await Oci.RunAsync("run", "-q", "--rm", image, "/script");

        Assert.InRange(run.Status, 126, 127);
        Failed(run, run.Status, "/script");
    }

    private static Fault FaultNamed(string what) => what switch
    {
        "truncated" => Faults.Truncated,
        "too long" => Faults.TooLong,
        "one bit wrong" => Faults.OneBitWrong,
        "html" => Faults.Html,
        "404" => Faults.Status(404),
        "401" => Faults.Status(401),
        "reset" => Faults.ResetAt(1000),
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, message: null),
    };
}
