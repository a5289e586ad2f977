using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Where the files of an image go: into a directory or into an archive.</summary>
internal interface IFileSink
{
    /// <summary>Whether a file need not be written, since one with its name, which is its digest, is there.</summary>
    bool Has(string path, long size);

    /// <summary>Writes a file; what is written in a directory appears whole.</summary>
    Task WriteAsync(string path, long size, Func<Stream, Task> write, CancellationToken cancellationToken);
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
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await OutputFile.ReplaceAsync(file, write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"'{Printable.Shorten(file)}' cannot be written: {e.Message.TrimEnd('.')}", e);
        }
    }
}
