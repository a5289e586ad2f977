using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>What this process may do with a file, asked of the kernel before it is tried.</summary>
public static class FileAccessCheck
{
    /// <summary>Whether a directory is there and nothing can be made in it: its mount is read-only, or we lack the right.</summary>
    /// <param name="path">A path that the caller trusts.</param>
    public static bool IsReadOnly(string path) =>
        Interop.Libc.Access(path, Interop.Libc.W_OK) != 0
        && (Errno)Marshal.GetLastPInvokeError() is Errno.EROFS or Errno.EACCES;
}
