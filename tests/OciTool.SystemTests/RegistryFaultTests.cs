using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Registries and networks that misbehave, as a user of the binary sees it.</summary>
public sealed class RegistryFaultTests(Machine machine) : OciTest(machine)
{
    private const string TarLayerType = "application/vnd.oci.image.layer.v1.tar";
    private const int Megabyte = 1 << 20;

    private readonly ConcurrentQueue<string> _ranges = new();
    private long _sent;

    [Fact]
    [Fault(22, "a layer of 64 MiB whose connection is cut after each MiB arrives, with at most 1 percent sent twice")]
    public async Task A_large_layer_whose_connection_is_cut_after_each_megabyte_arrives()
    {
        TestImage image = Large(64 * Megabyte);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break(image.Layer().Digest, (context, content, _) => SendAsync(context, content, breakAfter: Megabyte, bytesPerSecond: null));

        Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", registry.Image)).Succeeded().Output);

        await Oci.BlobsAreWholeAsync();
        int size = image.Layer().Content.Length;
        // on a machine so busy that this looks slow, what was on its way when segments began is sent again
        long allowed = (size / 100) + (_ranges.Any(IsSegment) ? 8 * Megabyte : 0);
        Assert.InRange(_sent, size, size + allowed);
    }

    [Fact]
    [Fault(25, "a large layer on a slow connection comes over several, and is the same layer")]
    public async Task A_large_layer_on_slow_connections_comes_over_several()
    {
        TestImage image = Large(40 * Megabyte);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break(image.Layer().Digest, (context, content, _) => SendAsync(context, content, breakAfter: null, bytesPerSecond: 10_000_000));

        Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", registry.Image)).Succeeded().Output);

        await Oci.BlobsAreWholeAsync();
        Assert.True(_ranges.Count(IsSegment) >= 4, string.Join(", ", _ranges));
    }

    [Fact]
    [Fault(31, "a blob that comes with one wrong bit is fetched once more, from zero")]
    public async Task One_wrong_bit_makes_a_layer_be_fetched_once_more()
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 500_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Break(image.Layer(1).Digest, Counting(Faults.Times(1, Faults.OneBitWrong)));

        Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", registry.Image)).Succeeded().Output);

        await Oci.BlobsAreWholeAsync();
        Assert.Equal(["", ""], _ranges);
    }

    [Fact]
    [Fault(31, "a second time it is an error that names both digests, and nothing of it is kept")]
    public async Task A_layer_that_stays_wrong_is_an_error_that_names_both_digests()
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 500_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        Blob layer = image.Layer(1);
        registry.Break(layer.Digest, Counting(Faults.OneBitWrong));
        byte[] wrong = [.. layer.Content];
        wrong[^1] ^= 1;

        Failed(await Oci.RunAsync("pull", registry.Image), 125, layer.Digest, Blob.DigestOf(wrong));

        Assert.Equal(2, _ranges.Count);
        Assert.False(File.Exists(Path.Join(Oci.Root, "ingest", layer.Digest.Replace(':', '-'))));
        await StillWorksAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Fault(43, "the digest covers what was kept and what came: a rest that is another blob's makes it begin anew, once")]
    public async Task A_rest_that_is_of_another_blob_makes_it_begin_anew(bool isHealedThen)
    {
        TestImage image = Machine.Images.WithRandomLayers(1, 500_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        byte[] other = new byte[image.Layer(1).Content.Length];
        registry.Break(image.Layer(1).Digest, Counting((context, content, attempt) => attempt switch
        {
            0 => SendAsync(context, content, breakAfter: 200_000, bytesPerSecond: null, isSeen: true),
            _ when isHealedThen && attempt > 1 => Task.FromResult(false),
            _ => SendAsync(context, other, breakAfter: null, bytesPerSecond: null, isSeen: true),
        }));

        ProgramResult pull = await Oci.RunAsync("pull", "-q", registry.Image);

        Assert.Equal("bytes=200000-", _ranges.ElementAt(1));
        if (isHealedThen)
        {
            Assert.Equal($"{image.Id}\n", pull.Succeeded().Output);
            await Oci.BlobsAreWholeAsync();
        }
        else
        {
            Failed(pull, 125, image.Layer(1).Digest, "with digest");
            await StillWorksAsync();
        }
    }

    [Fact]
    [Fault(32, "a layer by SHA-512 digest is verified with it, kept under it, and runs")]
    public async Task A_layer_by_sha512_digest_is_verified_and_kept_under_it()
    {
        TestImage image = Machine.Images.Plain;
        string hex = Convert.ToHexStringLower(SHA512.HashData(image.Layer().Content));
        TestImage other = image.WithManifest(manifest => manifest["layers"]![0]!["digest"] = $"sha512:{hex}");
        await using FaultRegistry registry = await FaultRegistry.StartAsync(other);
        registry.Serve($"sha512:{hex}", other.Layer());

        await Oci.PullAsync(registry.Image);

        Assert.Equal(image.Layer().Content, await File.ReadAllBytesAsync(Path.Join(Oci.Root, "blobs/sha512", hex), Cancellation));
        Assert.Equal("ok\n", (await Oci.RunAsync("run", "--rm", registry.Image, "echo", "ok")).Succeeded().Output);

        registry.Break($"sha512:{hex}", Faults.OneBitWrong);
        Failed(await Oci.RunAsync("--root", Oci["second"], "pull", registry.Image), 125, hex);
    }

    [Fact]
    [Fault(32, "an unknown algorithm is refused before anything is asked for by it")]
    public async Task A_digest_by_an_unknown_algorithm_is_refused_without_a_request()
    {
        const string digest = "md5:d41d8cd98f00b204e9800998ecf8427e";
        TestImage image = Machine.Images.Plain.WithManifest(manifest => manifest["layers"]![0]!["digest"] = digest);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        registry.Serve(digest, image.Layer());
        registry.Break(digest, Counting(Faults.Status(404)));

        Failed(await Oci.RunAsync("pull", registry.Image), 125, "md5", "digest");

        Assert.Empty(_ranges);
    }

    [Fact]
    [Fault(29, "the layers that arrived stay when another one is refused: the next pull asks for that one alone")]
    public async Task Layers_that_arrived_stay_when_another_one_fails()
    {
        TestImage image = Machine.Images.WithRandomLayers(3, 200_000);
        await using FaultRegistry registry = await FaultRegistry.StartAsync(image);
        TaskCompletionSource othersAreThere = new();
        registry.Break(image.Layer(3).Digest, async (context, _, _) =>
        {
            for (int left = 300; left > 0 && Directory.GetFiles(Path.Join(Oci.Root, "blobs/sha256")).Length < 4; left--)
            {
                await Task.Delay(50, context.RequestAborted);
            }

            othersAreThere.TrySetResult();
            context.Response.StatusCode = 404;
            return true;
        });
        Failed(await Oci.RunAsync("pull", registry.Image), 125, "blob unknown|not found");
        Assert.True(othersAreThere.Task.IsCompleted);

        registry.Heal();
        foreach (Blob layer in image.Blobs)
        {
            registry.Break(layer.Digest, Counting((_, _, _) => Task.FromResult(false)));
        }

        Assert.Equal($"{image.Id}\n", (await Oci.RunAsync("pull", "-q", registry.Image)).Succeeded().Output);
        Assert.Single(_ranges);
    }

    [Theory]
    [InlineData("html", "unexpected content type text/html")]
    [InlineData("404", "not found")]
    [Fault(38, "through the binary: one line that names the registry and what it sent")]
    public async Task A_page_or_nothing_where_a_manifest_should_be(string what, string cause)
    {
        await using FaultRegistry registry = await FaultRegistry.StartAsync(Machine.Images.Plain);
        registry.Break("latest", what == "404" ? Faults.Status(404) : async (context, _, _) =>
        {
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync("<html>\u001b]0;pwn\u0007please log in</html>");
            return true;
        });

        ProgramResult pull = await Oci.RunAsync("pull", registry.Image);

        Failed(pull, 125, registry.Host, cause);
        Assert.DoesNotContain('\u001b', pull.Error);
        await StillWorksAsync();
    }

    private static bool IsSegment(string range) => range.Length > 0 && range[^1] != '-';

    private static TestImage Large(int size)
    {
        byte[] content = new byte[size];
        new Random(size).NextBytes(content);
        byte[] tar = new Layer().Directory("data").File("data/large", content).ToTar();
        return TestImage.Of(BusyboxImages.Config, "amd64", [(tar, new Blob(tar, TarLayerType))]);
    }

    private Fault Counting(Fault fault) => (context, content, attempt) =>
    {
        _ranges.Enqueue(context.Request.Headers.Range.ToString());
        return fault(context, content, attempt);
    };

    // a good registry over a bad network
    private async Task<bool> SendAsync(HttpContext context, byte[] content, int? breakAfter, int? bytesPerSecond, bool isSeen = false)
    {
        string range = context.Request.Headers.Range.ToString();
        if (!isSeen)
        {
            _ranges.Enqueue(range);
        }

        string[] ends = range.Length == 0 ? ["0", ""] : range["bytes=".Length..].Split('-');
        int from = int.Parse(ends[0], CultureInfo.InvariantCulture);
        int end = ends[1].Length == 0 ? content.Length : int.Parse(ends[1], CultureInfo.InvariantCulture) + 1;
        context.Response.Headers.AcceptRanges = "bytes";
        if (range.Length > 0)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{end - 1}/{content.Length}";
        }

        context.Response.ContentLength = end - from;
        int stop = Math.Min(end, from + (breakAfter ?? content.Length));
        while (from < stop)
        {
            int count = Math.Min(stop - from, 100_000);
            await context.Response.Body.WriteAsync(content.AsMemory(from, count), context.RequestAborted);
            Interlocked.Add(ref _sent, count);
            from += count;
            await Task.Delay(TimeSpan.FromSeconds(bytesPerSecond is { } rate ? (double)count / rate : 0), context.RequestAborted);
        }

        return true; // less than was announced: the server closes the connection
    }
}
