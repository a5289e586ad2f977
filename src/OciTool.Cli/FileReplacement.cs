using System.Text;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Cli;

/// <summary>Changes small files of the user as a whole: who reads them sees the old content or the new.</summary>
internal static class FileReplacement
{
    private const int MaxFile = 1 << 20;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Changes a file that is for its owner alone (mode 0600); a link to it stays a link.</summary>
    /// <param name="path">The file.</param>
    /// <param name="edit">Makes the new content of the present one, which is null where there is no file; null leaves it as it is.</param>
    /// <exception cref="OciException">It cannot be read or written.</exception>
    public static void Edit(string path, Func<byte[]?, byte[]?> edit)
    {
        try
        {
            string file = Path.GetFullPath(path);
            file = new FileInfo(file).LinkTarget is null ? file : File.ResolveLinkTarget(file, returnFinalTarget: true)!.FullName;
            byte[]? before = Read(file);
            if (edit(before) is not { } first)
            {
                return;
            }

            string directory = Path.GetDirectoryName(file)!;
            Directory.CreateDirectory(directory, Private | UnixFileMode.UserExecute);
            string lockFile = $"{file}.lock";
            using FileLock held = FileLock.Acquire(lockFile);
            try
            {
                // somebody else may have been here before the lock was ours
                byte[]? now = Read(file);
                byte[]? after = now.AsSpan().SequenceEqual(before) ? first : edit(now);
                if (after is not null)
                {
                    Replace(directory, file, after);
                }
            }
            finally
            {
                File.Delete(lockFile);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"{path}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static byte[]? Read(string file)
    {
        try
        {
            using FileStream content = File.OpenRead(file);
            byte[] bytes = new byte[MaxFile + 1];
            int length = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxFile ? bytes[..length] : throw new IOException($"it is longer than {MaxFile} bytes");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static void Replace(string directory, string file, byte[] content)
    {
        string temporary = $"{file}.{Path.GetRandomFileName()}";
        try
        {
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = Private };
            using (FileStream stream = new(temporary, options))
            {
                stream.Write(content);
                RandomAccess.FlushToDisk(stream.SafeFileHandle);
            }

            KeepOwner(directory, Path.GetFileName(file), Path.GetFileName(temporary));
            File.Move(temporary, file, overwrite: true);
            DirectoryTree.SyncNames(directory);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    // root that logs in with somebody's file leaves it to its owner
    private static void KeepOwner(string directory, string name, string temporary)
    {
        using RootDirectory root = new(directory);
        using DirectoryDescriptor names = DirectoryDescriptor.Of(root);
        if (names.Look(Encoding.UTF8.GetBytes(name + '\0'), out FileStatus old) == Errno.None
            && names.Look(Encoding.UTF8.GetBytes(temporary + '\0'), out FileStatus written) == Errno.None
            && (old.Owner, old.Group) != (written.Owner, written.Group))
        {
            names.SetOwner(Encoding.UTF8.GetBytes(temporary + '\0'), old.Owner, old.Group);
        }
    }
}
