using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>What a file is, whatever it is called: its file system and inode.</summary>
/// <param name="DeviceMajor">The major number of the file system's device.</param>
/// <param name="DeviceMinor">The minor number of the file system's device.</param>
/// <param name="Inode">The inode's number.</param>
public readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    /// <summary>The identity of an open file.</summary>
    public static FileIdentity Of(SafeFileHandle file)
    {
        Interop.Libc.StatxResult status = Interop.Libc.Statx(file, "");
        return new(status.DeviceMajor, status.DeviceMinor, status.Inode);
    }

    /// <summary>The identity of what a path names.</summary>
    /// <returns>False when nothing is there.</returns>
    public static bool TryOf(string path, out FileIdentity identity)
    {
        bool found = Interop.Libc.TryStatx(path, out Interop.Libc.StatxResult status);
        identity = new(status.DeviceMajor, status.DeviceMinor, status.Inode);
        return found;
    }
}
