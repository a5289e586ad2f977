using System.Text;
using OciTool.Images;
using OciTool.Storage;
using OciTool.Storage.Transports;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Storage.Transports;

/// <summary>Images that leave the store as archives and directories, and come back.</summary>
public sealed class TransportTests : IDisposable
{
    private readonly TestStore _store = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData("oci-archive", "a")]
    [InlineData("oci", "l")]
    [InlineData("dir", "d")]
    [InlineData("docker-archive", "k")]
    public async Task An_image_comes_back_as_it_was(string transport, string file)
    {
        TestImage image = TestImage.Of("one", "two");
        TransportName name = await SaveAsync(image, transport, file, "example.com/a:1");

        using TransportImages read = TransportImages.Open(name);
        CopiedImage copied = await TakeAsync(read.Choose(name));

        Assert.Equal(image.Id, copied.Manifest.Config.Digest);
        if (transport != "docker-archive")
        {
            Assert.Equal(image.Root.Digest, copied.Root.Digest);
        }

        Assert.Equal(transport == "dir" ? [] : ["example.com/a:1"], read.Images[0].Names);
    }

    [Theory]
    [InlineData("oci-archive")]
    [InlineData("docker-archive")]
    public async Task The_same_image_gives_the_same_bytes(string transport)
    {
        TestImage image = TestImage.Of("one", "two");
        TransportName first = await SaveAsync(image, transport, "1", "example.com/a:1");
        TransportName second = await SaveAsync(image, transport, "2", "example.com/a:1");

        Assert.Equal(await File.ReadAllBytesAsync(first.Path, Cancel), await File.ReadAllBytesAsync(second.Path, Cancel));
    }

    [Fact]
    public async Task Other_names_of_a_layout_stay_and_none_of_several_is_an_error_that_lists_them()
    {
        TransportName name = await SaveAsync(TestImage.Of("one"), "oci", "l", "one");
        TestImage two = TestImage.Of("two");
        await SaveAsync(two, "oci", "l", "two");

        using TransportImages read = TransportImages.Open(name);
        OciException failure = Assert.Throws<OciException>(() => read.Choose(name));

        Assert.Contains("one, two", failure.Message, StringComparison.Ordinal);
        Assert.Equal(two.Root.Digest, (await read.Choose(name with { Image = "two" }).Source.ResolveAsync(Cancel)).Digest);
    }

    [Fact]
    public async Task Blobs_of_a_layout_may_be_links()
    {
        TestImage image = TestImage.Of("one");
        TransportName name = await SaveAsync(image, "oci", "l", "one");
        string blob = Path.Join(name.Path, "blobs/sha256", image.Layers[0].Digest.Hex);
        string elsewhere = Path.Join(_directory.FullName, "elsewhere");
        File.Move(blob, elsewhere);
        File.CreateSymbolicLink(blob, elsewhere);

        using TransportImages read = TransportImages.Open(name);

        Assert.Equal(image.Id, (await TakeAsync(read.Choose(name))).Manifest.Config.Digest);
    }

    [Fact]
    public async Task An_archive_that_is_compressed_is_read_as_well()
    {
        TestImage image = TestImage.Of("one");
        TransportName name = await SaveAsync(image, "oci-archive", "a", "one");
        await File.WriteAllBytesAsync(name.Path, TarBuilder.Gzip(await File.ReadAllBytesAsync(name.Path, Cancel)), Cancel);

        using TransportImages read = TransportImages.Recognize(name.Path);

        Assert.Equal(image.Id, (await TakeAsync(read.Images[0])).Manifest.Config.Digest);
    }

    [Fact]
    public async Task A_docker_archive_has_files_and_no_links_and_is_read_with_links()
    {
        TestImage image = TestImage.Of("one");
        byte[] layer = image.BlobOf(image.Layers[0].Digest);
        TarBuilder tar = new TarBuilder()
            .Add("manifest.json", data: Encoding.UTF8.GetBytes(
                $$"""[{"Config":"{{image.Id.Hex}}.json","RepoTags":["a:1"],"Layers":["x/layer.tar"]}]"""))
            .Add($"{image.Id.Hex}.json", data: image.BlobOf(image.Id))
            .Add("y.tar", data: layer)
            .Symlink("x/layer.tar", "../y.tar");
        string file = Write(tar);

        using TransportImages read = TransportImages.Recognize(file);

        Assert.Equal(image.Id, (await TakeAsync(read.Images[0])).Manifest.Config.Digest);
        Assert.Equal(["a:1"], read.Images[0].Names);
    }

    [Fact]
    public void Hostile_archives_are_refused()
    {
        (string Cause, TarBuilder Archive)[] cases =
        [
            ("leaves the archive", new TarBuilder().File("../manifest.json")),
            ("leaves the archive", new TarBuilder().File("/manifest.json")),
            ("leaves the archive", new TarBuilder().Symlink("manifest.json", "/etc/passwd")),
            ("leaves the archive", new TarBuilder().Symlink("a/b", "../../x")),
            ("leaves the archive", new TarBuilder().Link("manifest.json", "../x")),
            ("occurs twice", new TarBuilder().File("manifest.json", "[]").File("./manifest.json", "[]")),
            ("no file, directory or link", new TarBuilder().Add("manifest.json", '3')),
            ("unexpected end", new TarBuilder().Add("manifest.json", size: 1L << 40)),
            ("too many links", new TarBuilder().Symlink("index.json", "index.json")),
            ("more than the limit", new TarBuilder().Add("manifest.json", data: new byte[(4 << 20) + 1])),
            ("invalid manifest.json", new TarBuilder().File("manifest.json", "{")),
            ("invalid index.json", new TarBuilder().File("index.json", "[")),
            ("there is no image in it", new TarBuilder().File("manifest.json", "[]")),
            ("does not match any of the supported", new TarBuilder().File("etc/passwd")),
        ];
        foreach ((string cause, TarBuilder archive) in cases)
        {
            string file = Write(archive);
            OciException failure = Assert.ThrowsAny<OciException>(() => TransportImages.Recognize(file));
            Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', failure.Message);
        }
    }

    [Fact]
    public async Task A_blob_that_is_not_what_it_is_called_is_not_taken()
    {
        TestImage image = TestImage.Of("one");
        TransportName name = await SaveAsync(image, "oci", "l", "one");
        string blob = Path.Join(name.Path, "blobs/sha256", image.Layers[0].Digest.Hex);
        byte[] bytes = await File.ReadAllBytesAsync(blob, Cancel);
        bytes[600] ^= 1;
        await File.WriteAllBytesAsync(blob, bytes, Cancel);
        using TransportImages read = TransportImages.Open(name);

        await Assert.ThrowsAnyAsync<OciException>(() => TakeAsync(read.Choose(name)));

        Assert.Null(_store.Find("taken"));
    }

    [Fact]
    public async Task An_archive_that_cannot_be_written_leaves_nothing()
    {
        TestImage image = TestImage.Of("one");
        image.Replace(image.Layers[0].Digest, new byte[(int)image.Layers[0].Size]);

        await Assert.ThrowsAsync<ContentMismatchException>(() => SaveAsync(image, "oci-archive", "a", "one"));

        Assert.Empty(_directory.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task A_whole_index_travels()
    {
        TestImage image = TestImage.IndexOf("amd64", "arm64");
        TransportName name = await SaveAsync(image, "oci-archive", "a", "one");

        using TransportImages read = TransportImages.Open(name);

        Assert.Equal(image.Root.Digest, (await TakeAsync(read.Images[0])).Root.Digest);
    }

    [Theory]
    [InlineData("oci:a/b:docker.io/x:1", "a/b", "docker.io/x:1")]
    [InlineData("oci-archive:x.tar", "x.tar", null)]
    [InlineData("docker-archive:x.tar:@1", "x.tar", "@1")]
    [InlineData("dir:/a:b", "/a:b", null)]
    public void Names_of_transports_are_read(string text, string path, string? image)
    {
        TransportName name = TransportName.TryParse(text)!;

        Assert.Equal((path, image), (name.Path, name.Image));
        Assert.Equal(text, name.ToString());
    }

    private string Write(TarBuilder archive)
    {
        string file = Path.Join(_directory.FullName, "archive");
        File.WriteAllBytes(file, archive.End().ToArray());
        return file;
    }

    private async Task<TransportName> SaveAsync(TestImage image, string transport, string file, string tag)
    {
        TransportName name = TransportName.TryParse($"{transport}:{Path.Join(_directory.FullName, file)}")!;
        TransportWriter writer = new(name);
        await ImageCopier.CopyAllAsync(image, writer.Open([tag]), new RecordingProgress(), Cancel);
        await writer.FinishAsync(new RecordingProgress(), Cancel);
        return name;
    }

    private async Task<CopiedImage> TakeAsync(TransportImage image)
    {
        using StoreDestination destination = _store.Images.OpenDestination(Reference.Parse("taken"));
        return await ImageCopier.CopyAsync(image.Source, destination, TestStore.Amd64, new RecordingProgress(), Cancel);
    }
}
