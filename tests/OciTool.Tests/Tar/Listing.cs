using System.Globalization;
using System.Text;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Tests.Tar;

/// <summary>What the reader says of an archive, one line for each entry, so that readings can be compared.</summary>
internal static class Listing
{
    /// <summary>Reads an archive to its end.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="chunk">The most bytes that its stream gives at once.</param>
    /// <param name="skipData">Whether to leave the data of files unread.</param>
    public static List<string> Of(byte[] archive, int chunk = int.MaxValue, bool skipData = false)
    {
        using ChunkStream stream = new(archive, chunk);
        TarReader tar = new(stream);
        List<string> entries = [];
        while (tar.Next())
        {
            entries.Add(Describe(tar.Entry) + (skipData ? "" : Data(tar)));
        }

        return entries;
    }

    /// <summary>The names of all entries, as Latin-1.</summary>
    public static List<string> Names(byte[] archive)
    {
        using ChunkStream stream = new(archive, int.MaxValue);
        TarReader tar = new(stream);
        List<string> names = [];
        while (tar.Next())
        {
            names.Add(Encoding.Latin1.GetString(tar.Entry.Name));
        }

        return names;
    }

    /// <summary>The damage that reading an archive finds.</summary>
    public static LayerException Damage(byte[] archive) => Xunit.Assert.Throws<LayerException>(() => Of(archive));

    private static string Describe(TarEntry entry) => string.Create(
        CultureInfo.InvariantCulture,
        $"{entry.Kind} {Text(entry.Name)} -> {Text(entry.LinkName)} {Convert.ToString(entry.Mode, 8)} {entry.Uid}:{entry.Gid} "
        + $"{entry.Size} {entry.Modified.Seconds}.{entry.Modified.Nanoseconds:d9} {entry.DeviceMajor}:{entry.DeviceMinor} "
        + $"[{string.Join(' ', entry.Xattrs.Select(xattr => Text(xattr.Name.AsSpan(..^1)) + "=" + Text(xattr.Value)))}]");

    /// <summary>The data, joined where they touch: how they are cut is the buffer's affair.</summary>
    private static string Data(TarReader tar)
    {
        StringBuilder text = new();
        long end = -1;
        for (ReadOnlySpan<byte> part = tar.NextData(out long offset); !part.IsEmpty; part = tar.NextData(out offset))
        {
            _ = offset == end ? text : text.Append(CultureInfo.InvariantCulture, $" @{offset}:");
            text.Append(Text(part));
            end = offset + part.Length;
        }

        return text.ToString();
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private sealed class ChunkStream(byte[] content, int chunk) : ReadOnlyStream
    {
        private int _position;

        public override int Read(Span<byte> buffer)
        {
            int count = Math.Min(Math.Min(chunk, buffer.Length), content.Length - _position);
            content.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }
    }
}
