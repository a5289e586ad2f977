using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Writes the tar archive of a layer, entry by entry, in the order of the calls.</summary>
public sealed class Layer
{
    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;
    private const UnixFileMode Readable = (UnixFileMode)0b110_100_100;
    private static readonly DateTimeOffset Time = new(2024, 5, 6, 7, 8, 9, TimeSpan.Zero);

    private readonly List<TarEntry> _entries = [];

    public Layer Directory(string path, UnixFileMode mode = Executable, int owner = 0) =>
        Add(new PaxTarEntry(TarEntryType.Directory, path) { Mode = mode, Uid = owner, Gid = owner });

    public Layer File(string path, string content, UnixFileMode mode = Readable) =>
        File(path, Encoding.UTF8.GetBytes(content), mode);

    public Layer File(string path, byte[] content, UnixFileMode mode = Readable) =>
        Add(new PaxTarEntry(TarEntryType.RegularFile, path) { Mode = mode, DataStream = new MemoryStream(content) });

    public Layer Program(string path, byte[] content) => File(path, content, Executable);

    public Layer Symlink(string path, string target) =>
        Add(new PaxTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target });

    public Layer HardLink(string path, string target) =>
        Add(new PaxTarEntry(TarEntryType.HardLink, path) { LinkName = target });

    public Layer Fifo(string path) => Add(new PaxTarEntry(TarEntryType.Fifo, path) { Mode = Readable });

    /// <summary>The finished archive.</summary>
    public byte[] ToTar()
    {
        using MemoryStream archive = new();
        using (TarWriter writer = new(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (TarEntry entry in _entries)
            {
                writer.WriteEntry(entry);
            }
        }

        return archive.ToArray();
    }

    /// <summary>Compresses with gzip, always to the same bytes.</summary>
    public static byte[] Gzip(byte[] content)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }

    private Layer Add(PaxTarEntry entry)
    {
        entry.ModificationTime = Time;
        _entries.Add(entry);
        return this;
    }
}
