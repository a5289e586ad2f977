using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;
using SharpCompress.Compressors.ZStandard;
using Xunit;

namespace OciTool.Tests.Layers;

public sealed class LayerApplierTests : IDisposable
{
    private static readonly byte[] Archive = new TarBuilder().File("f", "content").End().ToArray();

    private readonly LayerDirectory _layer = new();

    public void Dispose() => _layer.Dispose();

    [Fact]
    public void An_opaque_root_is_reported_and_leaves_no_whiteout()
    {
        byte[] archive = new TarBuilder().Whiteout(".wh.x").Whiteout(".wh..wh..opq").File("new").ToArray();
        Assert.True(_layer.Apply(archive).OpaqueRoot);
        Assert.Equal(["new"], Directory.EnumerateFileSystemEntries(_layer.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void What_was_applied_is_counted()
    {
        AppliedLayer applied = _layer.Apply(TarBuilder.Gzip(Archive), Archive);
        Assert.Equal(new AppliedLayer(SnapshotForm.Directory, Digest.Of(Archive), 1, 7, Archive.Length, OpaqueRoot: false, Root: null), applied);
    }

    [Fact]
    public void Another_digest_than_the_configuration_has_is_refused()
    {
        LayerException failure = Assert.Throws<LayerException>(() => _layer.Apply(Archive, "other"u8.ToArray()));
        Assert.Equal(
            $"uncompressed digest {Digest.Of(Archive)} does not match config diff_id {Digest.Of("other"u8)}", failure.Message);
    }

    [Fact]
    public void The_digest_covers_what_is_behind_the_end()
    {
        byte[] longer = [.. Archive, .. "garbage"u8];
        Assert.Equal(Digest.Of(longer), _layer.Apply(TarBuilder.Gzip(longer), longer).DiffId);
    }

    [Fact]
    public void A_diff_id_of_sha512_is_verified_by_sha512()
    {
        Digest expected = Digest.Of(Archive, Digest.Parse("sha512:" + new string('0', 128)));
        using MemoryStream content = new(Archive);
        AppliedLayer applied = LayerApplier.Apply(content, _layer.Place, SnapshotForm.Directory, expected, new LayerLimits(), _ => { });
        Assert.Equal(expected, applied.DiffId);
    }

    [Fact]
    public void Gzip_members_follow_each_other_and_zeros_may_follow_the_last()
    {
        byte[] content = [.. TarBuilder.Gzip(Archive[..700]), .. TarBuilder.Gzip(Archive[700..]), .. new byte[1000]];
        _layer.Apply(content, Archive);
        Assert.Equal("content", _layer.Read("f"));
    }

    [Fact]
    public void Gzip_headers_may_have_optional_fields()
    {
        byte[] plain = TarBuilder.Gzip(Archive);
        byte[] optional = [.. plain[..3], 0x1c, .. plain[4..10], 3, 0, 1, 2, 3, (byte)'n', 0, (byte)'c', 0, .. plain[10..]];
        _layer.Apply(optional, Archive);
        Assert.Equal("content", _layer.Read("f"));
    }

    [Theory]
    [InlineData("garbage", "trailing garbage")]
    [InlineData("cut", "truncated gzip data")]
    [InlineData("checksum", "gzip checksum mismatch")]
    [InlineData("length", "gzip length mismatch")]
    public void Damaged_gzip_data_are_refused_by_name(string damage, string message)
    {
        byte[] content = TarBuilder.Gzip(Archive);
        switch (damage)
        {
            case "garbage":
                content = [.. content, 0, 0, (byte)'x'];
                break;
            case "cut":
                content = content[..^9];
                break;
            case "checksum":
                content[^8] ^= 1;
                break;
            default:
                content[^4] ^= 1;
                break;
        }

        LayerException failure = Assert.Throws<LayerException>(() => _layer.Apply(content, Archive));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Zstd_frames_follow_each_other_and_skippable_ones_are_skipped()
    {
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        byte[] content = [.. skippable, .. Zstd(Archive[..700]), .. Zstd(Archive[700..])];
        _layer.Apply(content, Archive);
        Assert.Equal("content", _layer.Read("f"));
    }

    [Fact]
    public void Truncated_zstd_data_are_refused()
    {
        LayerException failure = Assert.Throws<LayerException>(() => _layer.Apply(Zstd(Archive)[..^5], Archive));
        Assert.Contains("truncated zstd data", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_zstd_window_of_2_GiB_is_refused()
    {
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
        LayerException failure = Assert.Throws<LayerException>(() => _layer.Apply(frame, []));
        Assert.Contains("window size exceeded", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fd377a585a00", "xz-compressed layers are not supported")]
    [InlineData("425a6839314159265359", "bzip2-compressed layers are not supported")]
    public void Other_compressions_are_refused_by_name(string magic, string message)
    {
        byte[] content = Convert.FromHexString(magic);
        Assert.Equal(message, Assert.Throws<LayerException>(() => _layer.Apply(content)).Message);
    }

    [Fact]
    public void Limits_are_kept()
    {
        Assert.Contains("more than 1 entries", Refused(new LayerLimits { MaxEntries = 1 }), StringComparison.Ordinal);
        Assert.Contains("more than 600 uncompressed bytes", Refused(new LayerLimits { MaxBytes = 600 }), StringComparison.Ordinal);
        Assert.Contains("more than 2 components", Refused(new LayerLimits { MaxPathDepth = 2 }), StringComparison.Ordinal);

        string Refused(LayerLimits limits)
        {
            byte[] archive = new TarBuilder().File("a").File("b/c/d").ToArray();
            return Assert.Throws<LayerException>(() => _layer.Apply(archive, limits: limits)).Message;
        }
    }

    [Fact]
    public void Warnings_are_given_once_and_not_without_end()
    {
        TarBuilder tar = new();
        for (int i = 0; i < 100; i++)
        {
            tar.File($"f{i}").File($"f{i}");
        }

        _layer.Apply(tar.ToArray());
        Assert.Equal(21, _layer.Warnings.Count);
    }

    [Fact]
    public void A_refusal_shows_a_hostile_name_escaped()
    {
        byte[] archive = new TarBuilder().Add("a\x1b[31m\xff", 'Z').ToArray();
        LayerException failure = Assert.Throws<LayerException>(() => _layer.Apply(archive));
        Assert.Equal("entry \"a\\x1b[31m\\xff\": unsupported tar entry type 'Z'", failure.Message);
        Assert.Equal(0, failure.Offset);
    }

    [Fact]
    public void A_tree_deeper_than_descriptors_and_paths_allow_can_be_replaced()
    {
        TarBuilder tar = new();
        string path = "top";
        for (int i = 0; i < 900; i++)
        {
            path += "/d";
        }

        byte[] archive = tar.Long('L', path).File("x").File("top", "file").ToArray();
        _layer.Apply(archive);
        Assert.Equal("file", _layer.Read("top"));
    }

    private static byte[] Zstd(byte[] content)
    {
        using MemoryStream compressed = new();
        using (CompressionStream zstd = new(compressed, leaveOpen: true))
        {
            zstd.Write(content);
        }

        return compressed.ToArray();
    }
}
