using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>Writes images to an archive or a directory; the same images give the same bytes.</summary>
/// <remarks>
/// Images are opened and copied first, which collects what they are made of; <see cref="FinishAsync"/> reads and writes
/// it, so their sources stay open until then. A file is replaced as a whole or not at all.
/// </remarks>
/// <param name="name">Where to write.</param>
public sealed class TransportWriter(TransportName name)
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
        if (name.Kind == TransportKind.ContainersStorage)
        {
            StorageSkopeo.RequireWritable(name.Path);
        }

        if (name.Kind is TransportKind.OciArchive or TransportKind.DockerArchive)
        {
            if (!FileStatus.TryOf(name.Path, out FileStatus there))
            {
                return;
            }

            if (there.IsDirectory)
            {
                throw new OciException($"opening file \"{Printable.Shorten(name.Path)}\": it is a directory");
            }

            if (name.Kind == TransportKind.DockerArchive && there.IsRegularFile && LengthOf(name.Path) > 0)
            {
                throw new OciException("docker-archive doesn't support modifying existing images");
            }
        }
    }

    private static long LengthOf(string path)
    {
        FileInfo file = new(path);
        return (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length;
    }

    /// <summary>Writes all that was copied.</summary>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up; a file that was to be written is not there then.</param>
    /// <exception cref="OciException">A blob is damaged, or there is no room.</exception>
    public async Task FinishAsync(ICopyProgress progress, CancellationToken cancellationToken)
    {
        if (name.Kind == TransportKind.ContainersStorage)
        {
            await StorageSkopeo.WriteAsync(_images[0], name.Path, progress, cancellationToken);
            return;
        }

        if (name.Kind is TransportKind.OciLayout or TransportKind.Directory)
        {
            await WriteAsync(new DirectorySink(name.Path), progress, cancellationToken);
            return;
        }

        try
        {
            await OutputFile.WriteAsync(name.Path, file => WriteToAsync(file, progress, cancellationToken));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string cause = e is DirectoryNotFoundException ? "no such file or directory" : e.Message.TrimEnd('.');
            throw new OciException($"'{Printable.Shorten(name.Path)}' cannot be written: {cause}", e);
        }
    }

    /// <summary>Writes all that was copied as an archive to a stream, in place of the file.</summary>
    /// <param name="output">Takes the archive; it is not sought in.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">A blob is damaged, or there is no room.</exception>
    public async Task WriteToAsync(Stream output, ICopyProgress progress, CancellationToken cancellationToken)
    {
        ArchiveSink archive = new(output, SourceDate.Read()?.ToUnixTimeSeconds() ?? 0);
        await WriteAsync(archive, progress, cancellationToken);
        archive.Finish();
    }

    private Task WriteAsync(IFileSink sink, ICopyProgress progress, CancellationToken cancellationToken) => name.Kind switch
    {
        TransportKind.DockerArchive or TransportKind.DockerDaemon => new DockerArchiveWriter(sink, progress).WriteAsync(_images, cancellationToken),
        TransportKind.Directory => LayoutWriter.WriteDirectoryAsync(sink, _images[0], progress, cancellationToken),
        _ => LayoutWriter.WriteAsync(sink, name.Kind == TransportKind.OciLayout ? name.Path : null, _images, progress, cancellationToken),
    };
}
