using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>The files of an image outside of a store: of a directory or of an archive.</summary>
internal interface ITransportFiles : IDisposable
{
    /// <summary>How errors call it.</summary>
    string Name { get; }

    /// <summary>Opens a file for reading; the stream knows its length and can seek.</summary>
    /// <param name="path">A clean relative path.</param>
    /// <returns>Null when it is not there.</returns>
    /// <exception cref="OciException">It is there and no file that may be read.</exception>
    Stream? TryOpen(string path);
}

/// <summary>What all readers do with files.</summary>
internal static class TransportFiles
{
    /// <summary>Reads a small file whole.</summary>
    /// <returns>Null when it is not there.</returns>
    internal static byte[]? TryRead(this ITransportFiles files, string path, long limit = Document.MaxSize)
    {
        using Stream? file = files.TryOpen(path);
        if (file is null)
        {
            return null;
        }

        if (file.Length > limit)
        {
            throw new OciException($"{files.Name}: '{Printable.Shorten(path)}' has {file.Length} bytes, more than the limit of {limit}");
        }

        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Whether a file is there.</summary>
    internal static bool Has(this ITransportFiles files, string path)
    {
        using Stream? file = files.TryOpen(path);
        return file is not null;
    }

    /// <summary>The length of a file in bytes; 0 when it is not there.</summary>
    internal static long LengthOf(this ITransportFiles files, string path)
    {
        using Stream? file = files.TryOpen(path);
        return file?.Length ?? 0;
    }

    internal static byte[] Read(this ITransportFiles files, string path, long limit = Document.MaxSize) =>
        files.TryRead(path, limit) ?? throw new OciException($"{files.Name}: open '{Printable.Shorten(path)}': no such file or directory");

    /// <summary>Opens a blob, its size compared with the descriptor; whoever takes it verifies the digest.</summary>
    internal static Stream OpenBlob(this ITransportFiles files, string path, Descriptor blob, long offset)
    {
        Stream file = files.TryOpen(path) ?? throw new OciException($"{files.Name}: blob {blob.Digest} is missing");
        if (file.Length != blob.Size)
        {
            long length = file.Length;
            file.Dispose();
            throw new ContentMismatchException(blob, $"{length} bytes in {files.Name}");
        }

        file.Position = offset;
        return file;
    }

    /// <summary>A path without <c>.</c>, empty parts and a leading <c>./</c>; null when it leaves the tree.</summary>
    internal static string? Clean(string path)
    {
        if (path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        List<string> parts = [];
        foreach (string part in path.Split('/'))
        {
            if (part == "..")
            {
                if (parts.Count == 0)
                {
                    return null;
                }

                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("" or "."))
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }
}

/// <summary>A directory of the host, whose links are followed: layouts of build tools are made of links.</summary>
/// <param name="root">The directory.</param>
internal sealed class DirectoryFiles(string root) : ITransportFiles
{
    /// <inheritdoc/>
    public string Name => $"'{Printable.Shorten(root)}'";

    /// <inheritdoc/>
    public Stream? TryOpen(string path)
    {
        string file = Path.Join(root, TransportFiles.Clean(path) ?? throw new OciException($"{Name}: the path '{Printable.Shorten(path)}' leaves it"));
        try
        {
            // not opened blindly: a FIFO would keep whoever opens it waiting
            return !FileStatus.TryOf(file, out FileStatus status) ? null
                : status.IsRegularFile ? new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0)
                : throw new OciException($"{Name}: '{Printable.Shorten(path)}' is no regular file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"{Name}: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
