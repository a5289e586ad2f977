using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>A file that somebody names to be written to.</summary>
public static class OutputFile
{
    private const int BufferSize = 128 << 10; // archives are written in many small pieces

    /// <summary>Writes it: a file is there whole, or as it was before; a device or a pipe such as <c>/dev/stdout</c> is written to as it is.</summary>
    /// <param name="path">The file; what a link leads to is written, and the link stays.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        if (FileStatus.TryOf(path, out FileStatus there) && !there.IsRegularFile)
        {
            await using FileStream device = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, BufferSize);
            await write(device);
            return;
        }

        bool isLink = new FileInfo(path).LinkTarget is not null;
        await ReplaceAsync(isLink ? File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName : Path.GetFullPath(path), write);
    }

    /// <summary>Puts a new file in the place of what has its name, a link included.</summary>
    internal static async Task ReplaceAsync(string file, Func<Stream, Task> write)
    {
        string temporary = $"{file}.{Path.GetRandomFileName()}";
        try
        {
            await using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferSize))
            {
                await write(stream);
                await stream.FlushAsync();
                RandomAccess.FlushToDisk(stream.SafeFileHandle);
            }

            File.Move(temporary, file, overwrite: true);
            DirectoryTree.SyncNames(Path.GetDirectoryName(file)!);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
