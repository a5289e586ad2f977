using System.Globalization;
using System.Text.RegularExpressions;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Disks that are full, broken or limited: one clear line, a store that is whole, and a next time that works.</summary>
public sealed partial class StoreFaultTests(Machine machine) : OciTest(machine)
{
    private static readonly int[] Rounds = [1, 2, 3, 5, 8, 13];

    [Theory]
    [InlineData("pwrite64", "ENOSPC")]
    [InlineData("pwrite64", "EDQUOT")]
    [InlineData("pwrite64", "EIO")]
    [InlineData("pwrite64", "EINTR")]
    [InlineData("rename,renameat,renameat2", "ENOSPC")]
    [InlineData("rename,renameat,renameat2", "EIO")]
    [InlineData("mkdir,mkdirat", "ENOSPC")]
    [InlineData("ftruncate", "EIO")]
    [InlineData("fdatasync,syncfs", "EINTR")]
    [InlineData("flock", "EINTR")]
    [Fault(4, "any single write, rename or mkdir that finds the disk full ends the pull with one line; what has arrived is kept")]
    [Fault(5, "the same for a quota and for a limit of the file size")]
    [Fault(9, "an interrupted system call is made again")]
    public async Task One_failing_call_costs_one_pull_at_most(string call, string error)
    {
        TestImage image = Machine.Images.WithRandomLayers(3, 300_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        foreach (int round in Rounds)
        {
            ProgramResult pull = await Oci.InjectAsync(call, $"error={error}:when={round}", "pull", "-q", name);
            if (pull.Status != 0)
            {
                Failed(pull, 125);
                Assert.DoesNotContain("defect", pull.Error, StringComparison.Ordinal);
                Assert.True(error != "EINTR", pull.ToString());
            }

            Oci.StoreIsWhole();
            Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", name)).Succeeded().Output);
            await Oci.StoreIsCleanAsync(name);
            Directory.Delete(Oci.Root, recursive: true);
        }
    }

    [Theory]
    [InlineData("fdatasync", 12_000_000)]
    [InlineData("syncfs", 300_000)]
    [Fault(7, "a sync that fails is final for the blob: its bytes are dropped, never synced again, and fetched anew")]
    public async Task Bytes_that_a_sync_could_not_bring_to_the_disk_are_fetched_again(string call, int size)
    {
        TestImage image = Machine.Images.WithRandomLayers(1, size);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);

        ProgramResult pull = await Oci.InjectAsync(call, "error=EIO:when=1", "pull", "-q", name);

        Failed(pull, 125, "input/output error");
        Assert.Empty(Directory.GetFiles(Path.Join(Oci.Root, "ingest")));
        Assert.Equal("", (await Oci.RunAsync("images", "-q")).Succeeded().Output);
        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(6, "a stored blob that the disk does not give back is named, with the way to repair it; a pull fetches it anew")]
    public async Task An_unreadable_document_is_named_and_a_pull_heals_it()
    {
        string name = await Oci.PullAsync(await Machine.PlainAsync());
        string config = Path.Join(Oci.Root, "blobs/sha256", Machine.Images.Plain.Id);

        ProgramResult run = await UnreadableAsync(config, "run", "--rm", name, "true");

        Failed(run, 125, $"blob sha256:{Machine.Images.Plain.Id} is unreadable: .*input/output error");
        Assert.Contains("oci system check --repair", run.Error, StringComparison.Ordinal);
        File.Delete(config);
        File.CreateSymbolicLink(config, config); // which no read gets through, until it is replaced
        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(6, "a layer whose stored blob cannot be read is fetched again when it must be applied anew")]
    public async Task An_unreadable_layer_blob_is_fetched_again()
    {
        string name = await Oci.PullAsync(await Machine.PlainAsync());
        string blob = Path.Join(Oci.Root, "blobs/sha256", Machine.Images.Plain.Layer().Digest["sha256:".Length..]);
        Directory.Delete(Path.Join(Oci.Root, "layers/sha256", Machine.Images.Plain.DiffId()), recursive: true);

        (await UnreadableAsync(blob, "pull", "-q", name)).Succeeded();

        await Oci.StoreIsCleanAsync(name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Fault(4, "on a small disk a pull says what it needs and what is free, keeps what has arrived, and works when there is room")]
    public async Task A_full_disk_is_told_in_numbers_and_the_next_pull_goes_on(bool directories)
    {
        TestImage image = Machine.Images.WithRandomLayers(4, 1_000_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        int told = 0;
        for (int size = 1; size <= 13; size += 2)
        {
            Directory.CreateDirectory(Oci.Root);
            string pull = Quoted([.. Oci.Arguments("pull", "-q", name), .. directories ? ["--snapshotter", "directory"] : Array.Empty<string>()]);
            ProgramResult script = await InMountNamespaceAsync($"""
                mount -t tmpfs -o size={size}m,mode=700 none {Oci.Root}
                status=0; oci {pull} >&2 || status=$?
                oci {Quoted(Oci.Arguments("images", "-q"))}
                mount -o remount,size=200m {Oci.Root}
                find {Oci.Root}/blobs {Oci.Root}/ingest -type f -printf '%s\n' 2>/dev/null | awk '{'{'} sum += $1 {'}'} END {'{'} print "kept", sum + 0 {'}'}'
                oci {pull}
                oci {Quoted(Oci.Arguments("run", "--rm", "--network", "none", name, "cat", "/etc/redhat-release"))}
                find {Oci.Root}/tmp {Oci.Root}/locks {Oci.Root}/leases {Oci.Root}/ingest -mindepth 1
                exit $status
                """);

            string[] lines = script.Lines;
            Assert.True(lines is [_, .., "Fedora release 34 (Thirty Four)"], script.ToString());
            if (script.Status != 0)
            {
                told++;
                Assert.True(script.Status == 125, script.ToString());
                Assert.True(NoSpace().Count(script.Error) + Metadata().Count(script.Error) == 1, script.ToString());
                Assert.StartsWith("kept ", lines[0], StringComparison.Ordinal);
            }
        }

        Assert.InRange(told, 2, 6);
    }

    [Fact]
    [Fault(4, "a removal works on a disk that is 100 % full")]
    public async Task An_image_can_be_removed_from_a_full_disk()
    {
        string name = await Machine.PlainAsync();
        Directory.CreateDirectory(Oci.Root);

        ProgramResult script = await InMountNamespaceAsync($"""
            mount -t tmpfs -o size=20m,mode=700 none {Oci.Root}
            oci {Quoted(Oci.Arguments("pull", "-q", name))} >/dev/null
            cat /dev/zero >{Oci.Root}/filler 2>/dev/null || true
            echo $(df --output=avail {Oci.Root} | tail -1)
            oci {Quoted(Oci.Arguments("rmi", name))} >/dev/null
            oci {Quoted(Oci.Arguments("images", "-q"))}
            find {Oci.Root}/tmp {Oci.Root}/blobs {Oci.Root}/layers -type f
            """);

        Assert.Equal(["0"], script.Succeeded().Lines);
    }

    [Fact]
    [Fault(5, "a limit for the size of files ends a pull with one line, not with a signal")]
    public async Task A_file_size_limit_is_an_error_and_not_a_signal()
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 3_000_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);

        ProgramResult pull = await Shell.RunAsync(
            "sh", ["-c", "ulimit -f 4000; exec \"$@\"", "sh", Oci.Binary, .. Oci.Arguments("pull", "-q", name)], Oci.CleanEnvironment());

        Failed(pull, 125, "file too large for the limit of this process writing layer 2/2", "need ~");
        Assert.Contains("ulimit -f", pull.Error, StringComparison.Ordinal);
        await Oci.PullAsync(name);
        await Oci.StoreIsCleanAsync(name);
    }

    [Fact]
    [Fault(9, "with too few file descriptors a pull fails with one line, or works; the next one works")]
    public async Task Too_few_descriptors_are_an_error_of_one_line()
    {
        TestImage image = Machine.Images.WithRandomLayers(5, 100_000);
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", image);
        for (int limit = 24; limit <= 64; limit += 8)
        {
            ProgramResult pull = await Shell.RunAsync(
                "sh",
                ["-c", "ulimit -n \"$0\"; exec \"$@\"", limit.ToString(CultureInfo.InvariantCulture), Oci.Binary, .. Oci.Arguments("pull", "-q", name)],
                Oci.CleanEnvironment());

            Assert.True(pull.Status is 0 or 125, pull.ToString());
            if (pull.Status != 0)
            {
                Failed(pull, 125);
                Assert.DoesNotContain("defect", pull.Error, StringComparison.Ordinal);
            }

            Oci.StoreIsWhole();
            await Oci.PullAsync(name);
            await Oci.StoreIsCleanAsync(name);
            Directory.Delete(Oci.Root, recursive: true);
        }
    }

    [Fact]
    [Fault(45, "pulling what is there fetches no blob, in three requests at most")]
    public async Task The_second_pull_fetches_no_blob()
    {
        await using SlowRegistry registry = await SlowRegistry.StartAsync();
        string name = registry.Serve("busybox", Machine.Images.Plain);
        await Oci.PullAsync(name);
        registry.Forget();

        await Oci.PullAsync(name);

        Assert.Empty(registry.BlobRequests);
        Assert.InRange(registry.Requests.Length, 1, 3);
    }

    private static string Quoted(string[] arguments) => string.Join(' ', arguments.Select(argument => $"'{argument}'"));

    /// <summary>Runs a script of the shell, in which <c>oci</c> is the binary, with mounts of its own.</summary>
    private async Task<ProgramResult> InMountNamespaceAsync(string script)
    {
        Need.Programs("unshare");
        return await Shell.RunAsync(
            "unshare", ["-m", "--propagation", "private", "sh", "-euc", $"oci() {{ '{Oci.Binary}' \"$@\"; }}\n{script}"], Oci.CleanEnvironment());
    }

    /// <summary>Runs the binary where every read of one file fails.</summary>
    private Task<ProgramResult> UnreadableAsync(string path, params string[] arguments)
    {
        Need.Programs("strace");
        return Shell.RunAsync(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=read,pread64", "-e", "inject=read,pread64:error=EIO",
                Oci.Binary, .. Oci.Arguments(arguments)],
            Oci.CleanEnvironment());
    }

    [GeneratedRegex(@"^Error: no space left on device writing layer \d/5 \(sha256:[0-9a-f]{12}…\) \(need ~[\d.]+ [kM]?B, free [\d.]+ [kM]?B\)$", RegexOptions.Multiline, 1000)]
    private static partial Regex NoSpace();

    [GeneratedRegex(@"^Error: (?!no space).*No space left on device.*$", RegexOptions.Multiline, 1000)]
    private static partial Regex Metadata();
}
