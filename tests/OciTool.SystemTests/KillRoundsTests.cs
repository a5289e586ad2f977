using System.Globalization;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>
/// Kills at random times: a few here, by the hundred with tests/kill-rounds, which sets <c>OCI_KILL_ROUNDS</c> and
/// <c>OCI_KILL_OTHERS</c>, and <c>OCI_TEST_SEED</c> where a round is to be found again.
/// </summary>
public sealed class KillRoundsTests(Machine machine) : OciTest(machine)
{
    private static readonly int Seed = Number("OCI_TEST_SEED", 1);

    [Fact]
    [Fault(1, "killed at random times again and again, pulls lose nothing that was verified, corrupt nothing and leave nothing")]
    public async Task Pulls_that_are_killed_at_random_times()
    {
        Random random = new(Seed);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        TestImage image = Machine.Images.WithRandomLayers(4, 700_000);
        long total = image.Blobs.Sum(blob => blob.Content.Length);
        string name = registry.Serve("busybox", image);
        int rounds = Number("OCI_KILL_ROUNDS", 25);
        (int landed, long kept, long reused) = (0, 0, 0);
        for (int round = 0; round < rounds; round++)
        {
            registry.Rest = TimeSpan.FromMilliseconds(random.Next(1, 12));
            using (RunningProgram pull = Oci.Start("pull", "-q", name))
            {
                await Task.Delay(random.Next(20, 450), Cancellation);
                await pull.SignalAsync("KILL");
                landed += (await pull.EndAsync()).Status == 0 ? 0 : 1;
            }

            Oci.StoreIsWhole();
            long verified = BytesAtHand();
            registry.Rest = TimeSpan.Zero;
            registry.Forget();
            Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", name)).Succeeded().Output);
            kept += verified;
            reused += total - registry.BlobBytes;
            await Oci.StoreIsCleanAsync(name);
            (await Oci.RunAsync("rmi", "-f", name)).Succeeded();
            StoreAudit.IsSwept(Oci.Root);
            Assert.Equal(0, BytesAtHand());
        }

        Say($"{rounds} pulls, {landed} of them killed before their end: {kept} bytes were at hand, {reused} were not fetched again");
        Assert.True(landed > rounds / 4, "too few kills landed to show anything");
        Assert.True(reused >= kept * 0.95, $"only {reused} of {kept} bytes were used again");
    }

    [Fact]
    [Fault(1, "killed at random times again and again, removals and runs corrupt nothing and leave nothing")]
    public async Task Removals_and_runs_that_are_killed_at_random_times()
    {
        Random random = new(Seed);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.WithRandomLayers(2, 400_000));
        int rounds = Number("OCI_KILL_OTHERS", 10);
        int landed = 0;
        for (int round = 0; round < rounds; round++)
        {
            await Oci.PullAsync(name);
            string[] arguments = (round % 3) switch
            {
                0 => ["rmi", "-f", name],
                1 => ["run", "--rm", "--network", "none", name, "true"],
                _ => ["run", "--network", "none", name, "true"],
            };
            using (RunningProgram command = Oci.Start(arguments))
            {
                await Task.Delay(random.Next(1, 60), Cancellation);
                await command.SignalAsync("KILL");
                landed += (await command.EndAsync()).Status == 0 ? 0 : 1;
            }

            string[] left = await Processes.GoneAsync([Path.Join(Oci.Root, "containers")], TimeSpan.FromSeconds(10));
            Assert.True(left.Length == 0, string.Join(", ", left));
            Oci.StoreIsWhole();
            if ((await Oci.RunAsync("images", "-q")).Succeeded().Lines.Length > 0)
            {
                (await Oci.RunAsync("run", "--rm", "--pull", "never", "--network", "none", name, "true")).Succeeded();
            }

            await Oci.PullAsync(name);
            await Oci.StoreIsCleanAsync(name);
            foreach (string container in (await Oci.RunAsync("ps", "-aq")).Succeeded().Lines)
            {
                (await Oci.RunAsync("rm", container)).Succeeded();
            }

            Assert.Empty(Directory.GetFileSystemEntries(Path.Join(Oci.Root, "containers")));
            Assert.Empty(Directory.GetFileSystemEntries(Path.Join(Oci.Root, "names")));
        }

        Assert.Empty(Mounts.Under(Oci.Root));
        Say($"{rounds} removals and runs, {landed} of them killed before their end");
    }

    private long BytesAtHand() => new[] { "blobs/sha256", "ingest" }.Select(directory => Path.Join(Oci.Root, directory))
        .Where(Directory.Exists).SelectMany(Directory.GetFiles).Where(file => !IsManifest(file)).Sum(file => new FileInfo(file).Length);

    // it does not travel as a blob
    private static bool IsManifest(string file) =>
        new FileInfo(file).Length < 10_000 && File.ReadAllText(file).Contains(TestImage.ManifestType, StringComparison.Ordinal);

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    private static void Say(FormattableString text) =>
        TestContext.Current.TestOutputHelper?.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
