using System.Globalization;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Layers as GNU tar writes them in each of its formats are extracted as GNU tar extracts them.</summary>
public sealed class TarFormatsTests(Machine machine) : OciTest(machine)
{
    private const string Files = """
        set -e
        mkdir -m 0750 d && echo content > d/plain && ln d/plain d/second-name && ln -s ../nowhere d/dangling
        printf latin > "$(printf 'd/caf\351')"
        printf 'new\nline' > "$(printf 'd/new\nline')"
        touch -d '2021-03-04 05:06:07 UTC' d/plain
        """;

    private const string LongNames = """
        name=$(printf 'n%.0s' $(seq 1 120)); mkdir -p "d/$name/$name" && echo deep > "d/$name/$name/file"
        ln -s "$name/$name/$name" d/long-target && ln "d/$name/$name/file" "d/$name/long-link"
        """;

    private const string Odd = """
        echo exact > d/exact && touch -d '1969-12-31 23:59:58 UTC' d/exact
        echo big > d/big-owner && chown 3000000000:3000000001 d/big-owner
        mknod d/device c 1 3 && mkfifo d/fifo
        """;

    // data at the start, in the middle and at the end; a file that is one hole; a map of more runs than one header takes
    private const string Sparse = """
        truncate -s 8M d/holes && printf start | dd of=d/holes conv=notrunc status=none
        printf middle | dd of=d/holes bs=1M seek=4 conv=notrunc status=none
        printf end | dd of=d/holes bs=1 seek=8388605 conv=notrunc status=none
        truncate -s 3M d/hole
        truncate -s 9000000 d/many
        for i in $(seq 0 60); do printf "run $i" | dd of=d/many bs=128k seek=$i conv=notrunc status=none; done
        """;

    [Theory]
    [InlineData("v7", Files)]
    [InlineData("oldgnu", Files + LongNames + Odd)]
    [InlineData("gnu", Files + LongNames + Odd)]
    [InlineData("ustar", Files)]
    [InlineData("posix", Files + LongNames + Odd)]
    [InlineData("oldgnu --sparse", Files + Sparse)]
    [InlineData("gnu --sparse", Files + LongNames + Sparse)]
    [InlineData("posix --sparse --sparse-version=0.0", Files + Sparse)]
    [InlineData("posix --sparse --sparse-version=0.1", Files + LongNames + Sparse)]
    [InlineData("posix --sparse --sparse-version=1.0", Files + LongNames + Odd + Sparse)]
    public async Task A_layer_of_GNU_tar(string format, string files)
    {
        Need.Root();
        Need.Programs("tar");
        string source = Oci["source"];
        string expected = Oci["expected"];
        string archive = Oci["layer.tar"];
        Directory.CreateDirectory(source);
        Directory.CreateDirectory(expected);
        (await Shell.RunAsync("sh", "-c", $"cd \"$0\"\n{files}", source)).Succeeded();
        (await Shell.RunAsync(
            "tar", [$"--format={format.Split(' ')[0]}", .. format.Split(' ')[1..], "--numeric-owner", "-C", source, "-cf", archive, "."],
            environment: null)).Succeeded();
        (await Shell.RunAsync("tar", "--numeric-owner", "-C", expected, "-xpf", archive)).Succeeded();

        byte[] layer = await File.ReadAllBytesAsync(archive, TestContext.Current.CancellationToken);
        string repository = $"tar/{format.Replace(" --", "-", StringComparison.Ordinal).Replace('=', '-')}";
        string name = await Machine.PublishAsync(repository, TestImage.Of(BusyboxImages.Config, "amd64", layer));
        SortedDictionary<string, string> tree = await Tree.ReadAsync(expected);
        foreach (string form in (string[])["directory", "erofs"])
        {
            await using LayerTree actual = await LayerTree.OpenAsync(Oci, await Oci.PullAsync(name, "--snapshotter", form));

            Tree.Equal(tree, await Tree.ReadAsync(actual.Path));
            if (format.Contains("--sparse", StringComparison.Ordinal))
            {
                string store = Path.Join(Oci.Root, "layers");
                long used = long.Parse((await Shell.RunAsync("du", "-sk", store)).Succeeded().Output.Split('\t')[0], CultureInfo.InvariantCulture);
                Assert.InRange(used, 1, 3000); // of 20 MB
            }
        }
    }
}
