using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A directory that path look-ups cannot leave: the kernel treats it as <c>/</c>.</summary>
/// <remarks>
/// Symbolic links and <c>..</c> are resolved by openat2(2) with <c>RESOLVE_IN_ROOT</c>, so a hostile layer cannot
/// make us touch a file of the host, not even by swapping a link while we walk.
/// </remarks>
public sealed partial class RootDirectory : IDisposable
{
    private readonly SafeFileHandle _handle;

    /// <summary>Opens a directory of the host as a root.</summary>
    /// <param name="path">A path that the caller trusts.</param>
    /// <exception cref="ErrnoException">The directory cannot be opened.</exception>
    public RootDirectory(string path) =>
        _handle = Open(Interop.Libc.AT_FDCWD, path, Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);

    /// <summary>Takes a descriptor of a directory as a root; the root owns it.</summary>
    /// <param name="handle">For example a detached mount.</param>
    public RootDirectory(SafeFileHandle handle) => _handle = handle;

    /// <summary>The directory's descriptor; it belongs to this object.</summary>
    public SafeFileHandle Handle => _handle;

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    internal static SafeFileHandle Open(int directory, string path, ulong flags, uint mode, ulong resolve)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return Open(directory, bytes, flags, mode, resolve);
    }

    private static SafeFileHandle Open(int directory, ReadOnlySpan<byte> terminated, ulong flags, uint mode, ulong resolve)
    {
        int descriptor = Interop.Libc.OpenAt2(
            directory, terminated, new(flags | Interop.Libc.O_CLOEXEC, mode, resolve));
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw ErrnoException.FromLastError("open", Encoding.UTF8.GetString(terminated[..^1]));
    }
}
