using System.Text;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What must be seen nowhere: passwords, tokens and signed URLs.</summary>
public sealed class SecretsTests(Machine machine) : OciTest(machine)
{
    private static readonly string Password = RegistryProcess.Credentials.Split(':')[1];
    private static readonly string Encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(RegistryProcess.Credentials));

    private string Home => Path.Join(Path.GetDirectoryName(Oci.Root), "home");

    [Theory]
    [InlineData(RegistryAuth.Basic)]
    [InlineData(RegistryAuth.Bearer)]
    public async Task No_secret_is_written_at_the_most_talkative_level(RegistryAuth auth)
    {
        await Machine.PlainAsync();
        string image = $"{(await Machine.RegistryAsync(auth)).Host}/busybox";
        Directory.CreateDirectory(Path.Join(Home, ".config/containers"));
        await File.WriteAllTextAsync(
            Path.Join(Home, ".config/containers/auth.json"), AuthFile(image), Cancellation);

        ProgramResult pull = (await Oci.RunAsync("--log-level", "trace", "pull", image)).Succeeded();
        ProgramResult inspect = (await Oci.RunAsync("--log-level", "trace", "inspect", "--remote", image)).Succeeded();
        ProgramResult refused = await Oci.RunAsync("--log-level", "trace", "pull", "--creds", "tester:wr0ng-passw0rd", $"{image}:other");

        Assert.Contains(" DBUG ", pull.Error, StringComparison.Ordinal); // it talks
        Assert.All([pull, inspect, refused], result => HasNone($"{result.Output}{result.Error}", Password, Encoded, "Bearer ey", "wr0ng-passw0rd"));
    }

    [Fact]
    public async Task A_signed_URL_that_a_registry_redirects_to_is_shown_without_its_signature()
    {
        await using FaultRegistry registry = await FaultRegistry.StartAsync(Machine.Images.Plain);
        string layer = Machine.Images.Plain.Blobs[^1].Digest;
        registry.Break(layer, (context, _, _) =>
        {
            bool isSigned = context.Request.QueryString.HasValue;
            context.Response.StatusCode = isSigned ? 403 : 307;
            context.Response.Headers.Location = $"{context.Request.Path}?X-Amz-Signature=0123s1gnature";
            return Task.FromResult(true);
        });

        ProgramResult pull = await Oci.RunAsync("--log-level", "trace", "pull", registry.Image);

        Failed(pull, 125, "access denied");
        HasNone(pull.Error, "0123s1gnature");
    }

    [Fact]
    public async Task The_process_that_holds_a_password_has_it_in_no_argument_and_leaves_no_core_file()
    {
        await using FaultRegistry registry = await FaultRegistry.StartAsync(Machine.Images.Plain);
        TaskCompletionSource hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);
        registry.Break(Machine.Images.Plain.Blobs[^1].Digest, async (context, _, _) =>
        {
            hangs.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        });
        string file = Oci["auth.json"];
        await File.WriteAllTextAsync(file, AuthFile(registry.Host), Cancellation);
        string cores = Directory.CreateDirectory(Oci["cores"]).FullName;

        // a relative core_pattern would write into the work directory
        using RunningProgram pull = RunningProgram.Start(
            "sh", ["-c", "cd \"$0\"; ulimit -c unlimited; exec \"$@\"", cores, Oci.Binary, .. Oci.Arguments("pull", "-q", "--authfile", file, registry.Image)]);
        await hangs.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        string[] lines = [.. Processes.With(Oci.Root).Select(process => process.CommandLine)];
        await pull.SignalAsync("SYS"); // .NET handles others itself
        ProgramResult end = await pull.EndAsync();

        Assert.NotEmpty(lines);
        Assert.All(lines, line => HasNone(line, Password, Encoded));
        Assert.Equal(128 + 31, end.Status);
        Assert.Empty(Directory.GetFiles(cores));
    }

    private static string AuthFile(string key) => new JsonObject
    {
        ["auths"] = new JsonObject { [key] = new JsonObject { ["auth"] = Encoded } },
    }.ToJsonString();

    private static void HasNone(string text, params string[] secrets) =>
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
}
