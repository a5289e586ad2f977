using System.Text;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Transports;

/// <summary>Puts the files of an image into a tar archive that depends on nothing but its content.</summary>
/// <param name="output">Where to; it is not sought in.</param>
/// <param name="modified">The time of every entry, in seconds since 1970.</param>
internal sealed class ArchiveSink(Stream output, long modified) : IFileSink
{
    private readonly TarWriter _tar = new(output);
    private readonly HashSet<string> _directories = [];

    /// <inheritdoc/>
    public bool Has(string path, long size) => false;

    /// <inheritdoc/>
    public async Task WriteAsync(string path, long size, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (_directories.Add(path[..slash]))
            {
                Add(path[..slash], '5', 0, 0x1ed); // 0755
            }
        }

        Add(path, '0', size, 0x1a4); // 0644
        await using Content content = new(_tar);
        await write(content);
        _tar.Pad();
    }

    /// <summary>Writes the end of the archive.</summary>
    internal void Finish() => _tar.Finish();

    private void Add(string path, char type, long size, uint mode) =>
        _tar.Add(new TarOutputEntry(Encoding.UTF8.GetBytes(path), type) { Mode = mode, Size = size, Modified = modified });

    /// <summary>The content of the entry that was begun last.</summary>
    private sealed class Content(TarWriter tar) : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => tar.Write(buffer);
    }
}
