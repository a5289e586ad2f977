using System.IO.Compression;
using OciTool.Storage.Layers;
using Digest = OciTool.Images.Digest;

namespace OciTool.Fuzz.Targets;

/// <summary>The compression of a layer: the same content however the bytes come, and what the class library makes of it.</summary>
internal sealed class FramingTarget : IFuzzTarget
{
    private const long MostBytes = 4 * 1024 * 1024;

    private static readonly Digest AnyDigest = Digest.Of([]);

    public string Name => "framing";

    public string Corpus => "framing";

    public void Run(byte[] input)
    {
        (byte[] content, string? failure) = Read(new MemoryStream(input), 64 * 1024);
        (byte[] parts, string? partsFailure) = Read(new DribblingStream(input), 100);
        // zstd's decoder has other words for damage when it gets a frame in parts, and then, where the last block is empty, takes a
        // frame that is shorter than it claims; its content is the same in any case, and has to have the diffID
        FuzzTargets.Demand(failure == partsFailure || IsZstd(input), $"read at once: {failure}, read in parts: {partsFailure}");
        FuzzTargets.Demand(
            failure is not null || partsFailure is not null || content.AsSpan().SequenceEqual(parts), "other content when it is read in parts");
        if (failure is not null)
        {
            return;
        }

        if (input is [0x1f, 0x8b, ..])
        {
            FuzzTargets.Demand(content.AsSpan().SequenceEqual(Reference(input)), "other content than GZipStream's");
        }
        else if (!IsZstd(input))
        {
            FuzzTargets.Demand(content.AsSpan().SequenceEqual(input), "content that is not compressed was changed");
        }
    }

    private static bool IsZstd(byte[] input) =>
        input is [0x28, 0xb5, 0x2f, 0xfd, ..] or [>= 0x50 and <= 0x5f, 0x2a, 0x4d, 0x18, ..];

    private static (byte[] Content, string? Failure) Read(Stream stream, int step)
    {
        MemoryStream read = new();
        try
        {
            using LayerContent content = LayerContent.Open(stream, AnyDigest, MostBytes);
            byte[] buffer = new byte[step];
            int count;
            while ((count = content.Read(buffer)) > 0)
            {
                read.Write(buffer, 0, count);
            }

            FuzzTargets.Demand(content.Count == read.Length, $"{content.Count} bytes counted, {read.Length} given");
            return (read.ToArray(), null);
        }
        catch (LayerException e)
        {
            return (read.ToArray(), e.Message);
        }
    }

    private static byte[] Reference(byte[] input)
    {
        using MemoryStream content = new();
        using GZipStream gzip = new(new MemoryStream(input), CompressionMode.Decompress);
        gzip.CopyTo(content);
        return content.ToArray();
    }
}
