using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>Files in memory: memfd_create(2).</summary>
internal static class Memory
{
    private const nint MFD_CLOEXEC = 1;
    private const nint MFD_ALLOW_SEALING = 2;

    /// <summary>Makes an empty file.</summary>
    /// <param name="name">What /proc calls it.</param>
    /// <param name="sealing">Whether it can be sealed.</param>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    internal static unsafe SafeFileHandle Create(string name, bool sealing = false)
    {
        fixed (byte* pointer = Interop.Kernel.Terminated(name))
        {
            return Interop.Kernel.Opened(
                Interop.Kernel.Call(
                    Interop.Kernel.SYS_memfd_create, (nint)pointer, MFD_CLOEXEC | (sealing ? MFD_ALLOW_SEALING : 0)),
                "memfd_create");
        }
    }
}
