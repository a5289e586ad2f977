using System.Globalization;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Writes images to an archive or a directory; the same images give the same bytes.</summary>
/// <remarks>
/// Images are opened and copied first, which collects what they are made of; <see cref="FinishAsync"/> reads and writes
/// it, so their sources stay open until then. A file is replaced as a whole or not at all.
/// </remarks>
/// <param name="name">Where to write.</param>
/// <param name="output">Takes the archive instead of the file; null for the file.</param>
public sealed class TransportWriter(TransportName name, Stream? output = null)
{
    private readonly List<CollectedImage> _images = [];

    /// <summary>Takes one more image.</summary>
    /// <param name="names">Its names; for a layout, each gets an entry.</param>
    public IImageDestination Open(IReadOnlyList<string> names)
    {
        CollectedImage image = new(names);
        _images.Add(image);
        return image;
    }

    /// <summary>Ends the work that cannot succeed, before anything is read.</summary>
    /// <exception cref="OciException">A docker archive is there already.</exception>
    public void RequireWritable()
    {
        if (output is null && name.Kind is TransportKind.OciArchive or TransportKind.DockerArchive)
        {
            if (Directory.Exists(name.Path))
            {
                throw new OciException($"opening file \"{Printable.Shorten(name.Path)}\": it is a directory");
            }

            if (name.Kind == TransportKind.DockerArchive && new FileInfo(name.Path) is { Exists: true, Length: > 0 })
            {
                throw new OciException("docker-archive doesn't support modifying existing images");
            }
        }
    }

    /// <summary>Writes all that was copied.</summary>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up; a file that was to be written is not there then.</param>
    /// <exception cref="OciException">A blob is damaged, or there is no room.</exception>
    public async Task FinishAsync(ICopyProgress progress, CancellationToken cancellationToken)
    {
        if (name.Kind is TransportKind.OciLayout or TransportKind.Directory)
        {
            await WriteAsync(new DirectorySink(name.Path), progress, cancellationToken);
            return;
        }

        if (output is not null)
        {
            await WriteArchiveAsync(output, progress, cancellationToken);
            return;
        }

        await new DirectorySink(Path.GetDirectoryName(Path.GetFullPath(name.Path))!).WriteAsync(
            Path.GetFileName(name.Path), size: 0, file => WriteArchiveAsync(file, progress, cancellationToken), cancellationToken);
    }

    // https://reproducible-builds.org/specs/source-date-epoch/
    private static long Modified =>
        long.TryParse(Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH"), NumberStyles.None, CultureInfo.InvariantCulture, out long time)
            ? time
            : 0;

    private async Task WriteArchiveAsync(Stream file, ICopyProgress progress, CancellationToken cancellationToken)
    {
        TarFileWriter tar = new(file, Modified);
        await WriteAsync(new ArchiveSink(tar), progress, cancellationToken);
        await tar.FinishAsync(cancellationToken);
    }

    private Task WriteAsync(IFileSink sink, ICopyProgress progress, CancellationToken cancellationToken) => name.Kind switch
    {
        TransportKind.DockerArchive => new DockerArchiveWriter(sink, progress).WriteAsync(_images, cancellationToken),
        TransportKind.Directory => LayoutWriter.WriteDirectoryAsync(sink, _images[0], progress, cancellationToken),
        _ => LayoutWriter.WriteAsync(sink, name.Kind == TransportKind.OciLayout ? name.Path : null, _images, progress, cancellationToken),
    };
}
