namespace OciTool.Images.Compatibility;

/// <summary>Reads the beginnings of files.</summary>
internal static class FileText
{
    /// <summary>Reads at most so many bytes of a file.</summary>
    /// <returns>Null when no regular file is there.</returns>
    public static byte[]? Read(IImageFiles files, string path, int most)
    {
        IFileBytes? file = files.Open(path);
        using IDisposable? owned = file as IDisposable;
        return file is null ? null : Read(file, most);
    }

    /// <summary>Reads at most so many bytes.</summary>
    public static byte[] Read(IFileBytes file, int most)
    {
        byte[] bytes = new byte[Math.Min(Math.Max(file.Length, 0), most)];
        int read = 0;
        while (read < bytes.Length && file.Read(read, bytes.AsSpan(read)) is > 0 and var count)
        {
            read += count;
        }

        return read == bytes.Length ? bytes : bytes[..read];
    }
}
