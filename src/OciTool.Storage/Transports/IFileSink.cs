using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>Where the files of an image go: into a directory or into an archive.</summary>
internal interface IFileSink
{
    /// <summary>Whether a file need not be written, since one with its name, which is its digest, is there.</summary>
    bool Has(string path, long size);

    /// <summary>Writes a file; what is written in a directory appears whole.</summary>
    Task WriteAsync(string path, long size, Func<Stream, Task> write, CancellationToken cancellationToken);
}

/// <summary>An archive.</summary>
internal sealed class ArchiveSink(TarFileWriter tar) : IFileSink
{
    /// <inheritdoc/>
    public bool Has(string path, long size) => false;

    /// <inheritdoc/>
    public Task WriteAsync(string path, long size, Func<Stream, Task> write, CancellationToken cancellationToken) =>
        tar.WriteAsync(path, size, write, cancellationToken);
}

/// <summary>A directory.</summary>
internal sealed class DirectorySink(string root) : IFileSink
{
    /// <inheritdoc/>
    public bool Has(string path, long size)
    {
        FileInfo file = new(Path.Join(root, path));
        return file.Exists && file.Length == size;
    }

    /// <inheritdoc/>
    public async Task WriteAsync(string path, long size, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        string file = Path.Join(root, path);
        string temporary = $"{file}.{Path.GetRandomFileName()}";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                await write(stream);
                RandomAccess.FlushToDisk(stream.SafeFileHandle);
            }

            File.Move(temporary, file, overwrite: true);
            DirectoryTree.SyncNames(Path.GetDirectoryName(file)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"'{Printable.Shorten(file)}' cannot be written: {e.Message.TrimEnd('.')}", e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
