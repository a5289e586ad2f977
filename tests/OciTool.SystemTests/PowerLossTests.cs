using System.Globalization;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>What a command does to the disk is replayed up to every point, without what no sync had covered there.</summary>
/// <remarks>
/// <c>OCI_POWER_LOSS=N</c> adds N states at each point in which chance decides of each call whether it is lost, and a
/// layer that is synced by itself instead of with the file system.
/// </remarks>
public sealed class PowerLossTests(Machine machine) : OciTest(machine)
{
    private static readonly int Chances =
        int.Parse(Environment.GetEnvironmentVariable("OCI_POWER_LOSS") ?? "0", CultureInfo.InvariantCulture);

    [Fact]
    [Fault(3, "power lost at any point of a pull: the image is listed and runs, or is not listed; the next pull heals")]
    public Task A_pull_is_whole_or_not_there() => PullAsync(Machine.Images.With(new Layer().File("more", "more")));

    [Fact]
    [Fault(3, "the same for a layer that is synced by itself while it is written")]
    public Task A_pull_of_a_large_layer_is_whole_or_not_there()
    {
        Assert.SkipUnless(Chances > 0, "takes long: set OCI_POWER_LOSS");
        return PullAsync(Machine.Images.WithRandomLayers(1, 9_000_000));
    }

    [Fact]
    [Fault(3, "power lost at any point of a removal: the image is listed and runs, or is not listed")]
    public async Task A_removal_is_done_or_not_begun()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string kept = registry.Serve("kept", Machine.Images.Plain);
        string name = registry.Serve("busybox", Machine.Images.With(new Layer().File("more", "more")));
        await Oci.PullAsync(kept);
        await Oci.PullAsync(name);

        await ReplayAsync(await WriteLog.RecordAsync(Oci, "rmi", name), [kept, name], [kept]);
    }

    [Fact]
    [Fault(3, "power lost at any point of a tag: both names, or the first alone")]
    public async Task A_tag_is_there_or_not()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.Plain);
        await Oci.PullAsync(name);

        await ReplayAsync(await WriteLog.RecordAsync(Oci, "tag", name, "localhost/other:latest"), [name], [name]);
    }

    [Fact]
    public async Task The_replay_would_find_a_sync_that_is_missing()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.Plain);
        WriteLog log = await WriteLog.RecordAsync(Oci, "pull", "-q", name);
        log.ForgetSyncs();

        Assert.True(new LostPower(log).TryWrite(Oci.Root, log.Result.Count, Loss.Bytes, seed: 0, []));

        Failed(await Oci.RunAsync("images"), 125, "index.json' is damaged");
    }

    private async Task PullAsync(TestImage image)
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);

        await ReplayAsync(await WriteLog.RecordAsync(Oci, "pull", "-q", name), [name], []);
    }

    /// <summary>Makes every state, and shows that it is one of before or after.</summary>
    /// <param name="log">What was done.</param>
    /// <param name="names">Images that can be pulled.</param>
    /// <param name="always">Those of them that are listed before and after.</param>
    private async Task ReplayAsync(WriteLog log, string[] names, string[] always)
    {
        LostPower power = new(log);
        HashSet<string> seen = [];
        int states = 0;
        for (int count = 0; count <= log.Result.Count; count++)
        {
            if (count > 0 && log.Result[count - 1] is BytesWritten or LengthSet)
            {
                continue; // what is lost of these shows at the next name or sync as well
            }

            for (int number = 0; number < (int)Loss.Some + Chances; number++)
            {
                Loss loss = (Loss)Math.Min(number, (int)Loss.Some);
                if (power.TryWrite(Oci.Root, count, loss, (count * 1000) + number, seen))
                {
                    states++;
                    await IsBeforeOrAfterAsync($"{loss} of what was not synced lost after call {count} of {log.Result.Count}", names, always);
                }
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{log.Result.Count} calls, {states} different states"));
        Assert.True(states > 5, "the log shows too little");
    }

    private async Task IsBeforeOrAfterAsync(string state, string[] names, string[] always)
    {
        ProgramResult images = await Oci.RunAsync("images", "--format", "{{.Repository}}:{{.Tag}}");
        Assert.True(images.Status == 0, $"{state}: {images}");
        Assert.True(always.All(images.Lines.Contains), $"{state}: {images}");
        foreach (string image in images.Lines)
        {
            ProgramResult run = await Oci.RunAsync("run", "--rm", "--pull", "never", "--network", "none", image, "cat", "/etc/redhat-release");
            Assert.True(run is { Status: 0, Output: "Fedora release 34 (Thirty Four)\n" }, $"{state}: {run}");
        }

        foreach (string name in names)
        {
            ProgramResult pull = await Oci.RunAsync("pull", "-q", name);
            Assert.True(pull.Status == 0, $"{state}: {pull}");
        }

        await Oci.StoreIsCleanAsync(names);
    }
}
