using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Transports;
using Xunit;

namespace OciTool.Tests.Storage.Transports;

/// <summary>Stores of podman, made here down to the tar-split records, sound and hostile.</summary>
public sealed class ContainersStorageTests : IDisposable
{
    private const string Base = "1111111111111111111111111111111111111111111111111111111111111111";
    private const string Top = "2222222222222222222222222222222222222222222222222222222222222222";

    private static readonly ContainersStoragePlace Default = new("/default", "overlay", []);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");
    private readonly TestImage _image = TestImage.Of("one", "two");
    private readonly Document _stored;

    public ContainersStorageTests()
    {
        // as it was pulled: compressed
        Manifest manifest = Manifest.Parse(_image.Root) with
        {
            Layers = [new Descriptor($"{MediaTypes.OciLayer}+gzip", Digest.Of("one"u8), 3), new Descriptor($"{MediaTypes.OciLayer}+zstd", Digest.Of("two"u8), 3)],
        };
        _stored = new Document(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest, SpecJson.Relaxed.Manifest));
        WriteStore("overlay");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Id => _image.Id.Hex;

    private ContainersStoragePlace Place => new(_directory.FullName, null, []);

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("alpine", "/default", "overlay", "alpine")]
    [InlineData("[vfs@/a/b+/run/c]localhost/x:1", "/a/b", "vfs", "localhost/x:1")]
    [InlineData("[/a]x@sha256:0", "/a", "overlay", "x@sha256:0")]
    [InlineData("[overlay@/a+/b:overlay.mount_program=/x,overlay.imagestore=/more]", "/a", "overlay", "")]
    [InlineData("[vfs@+/run/c]x", "/default", "vfs", "x")]
    public void A_name_has_the_store_before_the_image(string text, string root, string driver, string image)
    {
        ContainersStorageName name = ContainersStorageName.Parse(text, Default);

        Assert.Equal((root, driver, image), (name.Place.Root, name.Place.Driver, name.Image));
        Assert.Equal(text.Contains("/more", StringComparison.Ordinal) ? ["/more"] : [], name.Place.Additional);
    }

    [Theory]
    [InlineData("[overlay@/a")]
    [InlineData("[]x")]
    [InlineData("[@/a]x")]
    [InlineData("[overlay@a]x")]
    [InlineData("[overlay@/a+b]x")]
    public void What_is_no_store_is_refused_with_the_way_to_write_it(string text) =>
        Assert.Contains("[DRIVER@ROOT", Assert.Throws<OciException>(() => ContainersStorageName.Parse(text, Default)).Hint, StringComparison.Ordinal);

    [Theory]
    [InlineData("manifest", "manifest")]
    [InlineData("sha256:ab", "=c2hhMjU2OmFi")]
    [InlineData("manifest-", "manifest-")] // the last character is never looked at there
    [InlineData("manifest-a", "=bWFuaWZlc3QtYQ==")]
    public void Documents_lie_in_files_with_names_that_are_plain_or_Base64(string key, string file) =>
        Assert.Equal(file, StorageImageRecord.FileNameOf(key));

    [Fact]
    public void The_checksum_is_that_of_Go()
    {
        Crc64 crc = default;
        crc.Append("1234"u8);
        crc.Append("56789"u8);
        Assert.Equal(0xb90956c775a41001, crc.Value);

        Crc64 whole = default;
        whole.Append("123456789"u8);
        Assert.Equal(crc.Value, whole.Value);
    }

    [Theory]
    [InlineData("overlay")]
    [InlineData("vfs")]
    public async Task Layers_are_made_again_byte_by_byte_from_any_offset(string driver)
    {
        WriteStore(driver);

        IImageSource source = Only("localhost/a:1").Source;
        Manifest manifest = Manifest.Parse(await source.ResolveAsync(Cancel));

        Assert.Equal(_image.DiffIds, manifest.Layers.Select(layer => layer.Digest));
        Assert.All(manifest.Layers, layer => Assert.Equal(MediaTypes.OciLayer, layer.MediaType));
        byte[] expected = TestImage.TarOf("two");
        foreach (int offset in (int[])[0, 1, 511, 512, 513, 515, 516, 1024, expected.Length - 1, expected.Length])
        {
            Assert.Equal(expected[offset..], await ReadAsync(source, manifest.Layers[1], offset));
        }

        Assert.Equal(_image.Id, Digest.Of(await ReadAsync(source, manifest.Config, 0)));
    }

    [Theory]
    [InlineData("localhost/a:1")]
    [InlineData("a:1")]
    [InlineData("ID")]
    [InlineData("PREFIX")]
    [InlineData("sha256:ID")]
    [InlineData("@ID")]
    [InlineData("localhost/a@ID")]
    [InlineData("localhost/a@DIGEST")]
    [InlineData("b")]
    public async Task An_image_is_found_by_name_ID_beginning_and_digest(string wanted)
    {
        string name = wanted.Replace("PREFIX", Id[..9], StringComparison.Ordinal).Replace("ID", Id, StringComparison.Ordinal)
            .Replace("DIGEST", _stored.Digest.ToString(), StringComparison.Ordinal);

        TransportImage image = Only(name);

        Assert.Equal(_image.Id, Manifest.Parse(await image.Source.ResolveAsync(Cancel)).Config.Digest);
        Assert.Equal(wanted is "b" ? ["docker.io/library/b:latest"] : wanted.Contains(":1", StringComparison.Ordinal) ? ["localhost/a:1"] : ["localhost/a:1", "docker.io/library/b:latest"], image.Names);
    }

    [Theory]
    [InlineData("localhost/a:2")]
    [InlineData("localhost/c@ID")]
    [InlineData("@2222")]
    [InlineData("x y")]
    public void What_is_not_there_is_an_error(string wanted) =>
        Assert.Contains(_directory.FullName, Failure(() => Only(wanted.Replace("ID", Id, StringComparison.Ordinal))).Message, StringComparison.Ordinal);

    [Fact]
    public void Without_a_name_all_images_with_names_are_there() =>
        Assert.Equal(["localhost/a:1", "docker.io/library/b:latest"], Assert.Single(Open().Choose("")).Names);

    [Fact]
    public async Task An_image_of_another_store_that_is_read_too_is_found()
    {
        string more = Path.Join(_directory.FullName, "more");
        Directory.CreateDirectory(Path.Join(more, "overlay-images"));

        IReadOnlyList<TransportImage> images = ContainersStorage.Open(new ContainersStoragePlace(more, "overlay", [_directory.FullName, "/not/there"]), static _ => { })
            .Choose("localhost/a:1");

        Assert.Equal(2, Manifest.Parse(await Assert.Single(images).Source.ResolveAsync(Cancel)).Layers.Count);
    }

    [Fact]
    public async Task A_manifest_with_the_same_layers_keeps_its_bytes()
    {
        await File.WriteAllBytesAsync(Path.Join(_directory.FullName, "overlay-images", Id, "manifest"), _image.Root.Bytes.ToArray(), Cancel);

        Assert.Equal(_image.Root.Digest, (await Only("localhost/a:1").Source.ResolveAsync(Cancel)).Digest);
    }

    [Theory]
    [InlineData("missing", "is missing")]
    [InlineData("other", "another one than was unpacked")]
    [InlineData("longer", "4 bytes instead of 3")]
    [InlineData("fifo", "is missing")]
    [InlineData("link", "is missing")]
    [InlineData("../link", "is missing")]
    [InlineData("directory", "link")]
    [InlineData("record", "no tar-split record")]
    [InlineData("not gzip", "tar-split record is damaged")]
    [InlineData("cut", "tar-split record is damaged")]
    [InlineData("more", "more than")]
    [InlineData("less", "instead of")]
    [InlineData("negative", "negative")]
    [InlineData("line", "more than an archive of this size")]
    [InlineData("endless", "more than an archive of this size")]
    public async Task A_damaged_or_hostile_layer_is_one_clear_error(string how, string cause)
    {
        Damage(how);
        IImageSource source = Only("localhost/a:1").Source;
        Manifest manifest = Manifest.Parse(await source.ResolveAsync(Cancel));

        OciException failure = await Assert.ThrowsAsync<OciException>(() => ReadAsync(source, manifest.Layers[1], 0));

        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"image 'localhost/a:1': layer {Top[..12]}: ", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(failure.Hint);
    }

    [Theory]
    [InlineData("""[{"id":"TOP","parent":"BASE","diff-digest":"DIFF","diff-size":1},{"id":"BASE","parent":"TOP","diff-digest":"DIFF","diff-size":1}]""", "no end")]
    [InlineData("""[{"id":"TOP","parent":"BASE","diff-digest":"DIFF","diff-size":1}]""", "is missing")]
    [InlineData("""[{"id":"TOP","diff-digest":"DIFF","diff-size":1}]""", "1 layers for 2")]
    [InlineData("""[{"id":"TOP","diff-size":1}]""", "not known")]
    [InlineData("""[{"id":"TOP","diff-digest":"DIFF","diff-size":-5}]""", "not known")]
    [InlineData("""[{"id":"TOP","diff-digest":"DIFF","diff-size":1,"flags":{"incomplete":true}}]""", "incomplete")]
    [InlineData("""[{"id":"../../etc","diff-digest":"DIFF","diff-size":1}]""", "no ID")]
    [InlineData("""[{"id":"TOP","diff-size":"x"}]""", "layers.json")]
    [InlineData("[{", "layers.json")]
    public async Task A_list_of_layers_that_cannot_be_is_refused(string layers, string cause)
    {
        string list = layers.Replace("TOP", Top, StringComparison.Ordinal).Replace("BASE", Base, StringComparison.Ordinal)
            .Replace("DIFF", _image.DiffIds[0].ToString(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Join(_directory.FullName, "overlay-layers/layers.json"), list, Cancel);

        OciException failure = await Assert.ThrowsAsync<OciException>(() => Only("localhost/a:1").Source.ResolveAsync(Cancel));

        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_images_without_a_limit_is_refused()
    {
        using (FileStream list = File.OpenWrite(Path.Join(_directory.FullName, "overlay-images/images.json")))
        {
            list.SetLength(100 << 20);
        }

        Assert.Contains("more than the limit", Failure(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_driver_that_is_not_read_is_named() =>
        Assert.Contains("'btrfs'", Failure(() => ContainersStorage.Open(Place with { Driver = "btrfs" }, static _ => { })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_writer_is_waited_for_but_not_for_ever()
    {
        string path = Path.Join(_directory.FullName, "lock");
        using FileStream writer = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
        writer.Lock(0, 0);

        Assert.Throws<LockTimeoutException>(() => RecordLock.TryShare(path, new LockPatience(TimeSpan.FromMilliseconds(50), static _ => { })));
        Assert.Null(RecordLock.TryShare($"{path}2", new LockPatience(TimeSpan.Zero, static _ => { })));
    }

    [Theory]
    [InlineData("time=\"2026\" level=fatal msg=\"writing \\\"x\\\": no room\"\n", "writing \"x\": no room")]
    [InlineData("something else\n", "something else")]
    [InlineData("", "it ended with status 7")]
    public void The_cause_of_skopeo_is_told_without_its_log(string errors, string cause) =>
        Assert.Equal(cause, StorageSkopeo.CauseOf(errors, 7));

    private static OciException Failure(Action action) => Assert.Throws<OciException>(action);

    private static async Task<byte[]> ReadAsync(IImageSource source, Descriptor blob, int offset)
    {
        await using Stream stream = await source.OpenBlobAsync(blob, offset, Cancel);
        using MemoryStream bytes = new();
        await stream.CopyToAsync(bytes, Cancel);
        return bytes.ToArray();
    }

    private ContainersStorage Open() => ContainersStorage.Open(Place, static _ => { });

    private TransportImage Only(string name) => Assert.Single(Open().Choose(name));

    private void Damage(string how)
    {
        string diff = Path.Join(_directory.FullName, "overlay", Top, "diff");
        string file = Path.Join(diff, "content");
        string record = Path.Join(_directory.FullName, "overlay-layers", $"{Top}.tar-split.gz");
        byte[] tar = TestImage.TarOf("two");
        string secret = Path.Join(_directory.FullName, "secret");
        File.WriteAllText(secret, "two");
        switch (how)
        {
            case "missing": File.Delete(file); break;
            case "other": File.WriteAllText(file, "twx"); break;
            case "longer": File.WriteAllText(file, "twoo"); break;
            case "fifo":
                File.Delete(file);
                Fifo.Create(file);
                break;
            case "link":
                File.Delete(file);
                File.CreateSymbolicLink(file, secret);
                break;
            case "../link":
                Directory.CreateSymbolicLink(Path.Join(diff, "up"), "../../..");
                WriteRecord(record, Split(tar, 3, "up/../../../secret"));
                break;
            case "directory":
                Directory.Move(diff, $"{diff}2");
                Directory.CreateSymbolicLink(diff, $"{diff}2");
                break;
            case "record": File.Delete(record); break;
            case "not gzip": File.WriteAllText(record, "text"); break;
            case "cut": WriteRecord(record, Split(tar, 3, "content")[..700]); break;
            case "more": WriteRecord(record, Split(tar, 3, "content") + Split(tar, 3, "content")); break;
            case "less": WriteRecord(record, Split(tar, 3, "content").Split('\n')[0]); break;
            case "negative": WriteRecord(record, """{"type":1,"name":"x","size":-1}"""); break;
            case "line": WriteRecord(record, new string(' ', 33 << 20)); break;
            case "endless": WriteRecord(record, string.Concat(Enumerable.Repeat("{\"type\":1,\"name\":\"x\"}\n", 60_000))); break;
            default: throw new ArgumentOutOfRangeException(nameof(how));
        }
    }

    private void WriteStore(string driver)
    {
        foreach (string name in (string[])["overlay", "vfs"])
        {
            string images = Path.Join(_directory.FullName, $"{name}-images");
            if (Directory.Exists(images))
            {
                Directory.Delete(images, recursive: true);
            }
        }

        string Place(string path) => Directory.CreateDirectory(Path.Join(_directory.FullName, path)).FullName;
        string big = Place($"{driver}-images/{Id}");
        File.WriteAllBytes(Path.Join(big, "manifest"), _stored.Bytes.Span);
        File.WriteAllBytes(Path.Join(big, StorageImageRecord.FileNameOf($"manifest-{_stored.Digest}")), _stored.Bytes.Span);
        File.WriteAllBytes(Path.Join(big, StorageImageRecord.FileNameOf(_image.Id.ToString())), _image.BlobOf(_image.Id));
        File.WriteAllText(Path.Join(Place($"{driver}-images"), "images.json"),
            $$$"""[{"id":"{{{Id}}}","names":["localhost/a:1","docker.io/library/b:latest"],"layer":"{{{Top}}}","big-data-digests":{"manifest":"{{{_stored.Digest}}}","manifest-{{{_stored.Digest}}}":"{{{_stored.Digest}}}"}}]""");
        List<string> layers = [];
        foreach ((string id, string parent, string text, Digest diffId) in (IEnumerable<(string, string, string, Digest)>)
            [(Base, "", "one", _image.DiffIds[0]), (Top, Base, "two", _image.DiffIds[1])])
        {
            byte[] tar = TestImage.TarOf(text);
            layers.Add($$"""{"id":"{{id}}","parent":"{{parent}}","diff-digest":"{{diffId}}","diff-size":{{tar.Length}}}""");
            File.WriteAllText(Path.Join(Place(driver is "vfs" ? $"vfs/dir/{id}" : $"overlay/{id}/diff"), "content"), text);
            WriteRecord(Path.Join(Place($"{driver}-layers"), $"{id}.tar-split.gz"), Split(tar, text.Length, "content"));
        }

        File.WriteAllText(Path.Join(Place($"{driver}-layers"), "layers.json"), $"[{string.Join(',', layers)}]");
    }

    // a header, a file, and the rest
    private static string Split(byte[] tar, int length, string name)
    {
        Crc64 crc = default;
        crc.Append(tar.AsSpan(512, length));
        byte[] sum = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(sum, crc.Value);
        return $$"""
            {"type":2,"payload":"{{Convert.ToBase64String(tar, 0, 512)}}","position":0}
            {"type":1,"name":"empty/","payload":null,"position":1}
            {"type":1,"name_raw":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(name))}}","size":{{length}},"payload":"{{Convert.ToBase64String(sum)}}","position":2}
            {"type":2,"payload":"{{Convert.ToBase64String(tar, 512 + length, tar.Length - 512 - length)}}","position":3}

            """;
    }

    private static void WriteRecord(string path, string lines)
    {
        using GZipStream gzip = new(File.Create(path), CompressionLevel.Fastest);
        gzip.Write(Encoding.UTF8.GetBytes(lines));
    }
}
