namespace OciTool.Images.Verification;

/// <summary>Reads small files of the user, up to a limit.</summary>
internal static class BoundedFile
{
    /// <summary>Reads a file to its end, whatever its length claims to be.</summary>
    /// <exception cref="IOException">It cannot be read, or is longer than the limit.</exception>
    internal static byte[] Read(string path, int limit)
    {
        using FileStream file = File.OpenRead(path);
        byte[] content = new byte[limit + 1];
        int length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        return length <= limit ? content[..length] : throw new IOException($"it is longer than {limit} bytes");
    }
}
