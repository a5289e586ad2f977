using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>The binary that is running, in a form that nothing can write through.</summary>
/// <remarks>
/// A process inside a container can open the file that it was started from (/proc/self/exe): that must not be the
/// host's binary for writing (CVE-2019-5736). It is a read-only mount of that one file, mounted nowhere; where the kernel
/// refuses that, a sealed copy in memory.
/// </remarks>
public sealed class OwnBinary : IDisposable
{
    private const string Running = "/proc/self/exe";
    private const nint F_ADD_SEALS = 1033;
    private const nint AllSeals = 0xf; // F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE

    private readonly SafeFileHandle _file;

    private OwnBinary(SafeFileHandle file) => _file = file;

    /// <summary>Where it can be executed while this object lives.</summary>
    internal string Path => $"/proc/self/fd/{_file.DangerousGetHandle()}";

    /// <summary>Takes what a parent passed on.</summary>
    /// <param name="number">The descriptor's number.</param>
    public static OwnBinary Passed(int number)
    {
        using SafeFileHandle passed = new(number, ownsHandle: true);
        return new OwnBinary(Descriptors.DuplicateHigh(passed));
    }

    /// <summary>The descriptor, to pass it on; it belongs to this object.</summary>
    public SafeFileHandle Handle => _file;

    /// <summary>Takes hold of the running binary.</summary>
    /// <exception cref="IOException">It can be neither mounted nor copied.</exception>
    public static OwnBinary Open()
    {
        try
        {
            using SafeFileHandle mount = Mounts.Clone(Running, recursive: false);
            Mounts.SetAttributes(mount, MountAttributes.ReadOnly, MountAttributes.None, recursive: false);
            return new OwnBinary(Descriptors.DuplicateHigh(mount)); // the child's 3 and 4 become something else
        }
        catch (ErrnoException)
        {
            using SafeFileHandle copy = Memory.Create("oci", sealing: true);
            Fill(copy);
            // what is open for writing cannot be executed
            using SafeFileHandle readable = RootDirectory.Open(
                Interop.Libc.AT_FDCWD, $"/proc/self/fd/{copy.DangerousGetHandle()}", Interop.Libc.O_RDONLY, mode: 0, resolve: 0);
            return new OwnBinary(Descriptors.DuplicateHigh(readable));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void Fill(SafeFileHandle copy)
    {
        using SafeFileHandle source = File.OpenHandle(Running);
        byte[] buffer = new byte[1 << 20];
        int read;
        while ((read = Descriptors.TryRead(source, buffer)) > 0)
        {
            Descriptors.Write(copy, buffer.AsSpan(0, read), "memfd");
        }

        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_fcntl, Interop.Kernel.Descriptor(copy), F_ADD_SEALS, AllSeals), "fcntl");
    }
}
