using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A loop device (loop(4)) that shows a file, for reading, for as long as it is open or mounted.</summary>
internal sealed class LoopDevice : IDisposable
{
    private const nint LOOP_CTL_GET_FREE = 0x4C82;
    private const nint LOOP_CONFIGURE = 0x4C0A; // Linux 5.8
    private const int MostAttempts = 64;

    private readonly SafeFileHandle _device;

    private LoopDevice(string path)
    {
        Path = path;
        _device = Open(path);
    }

    /// <summary>The device, for example <c>/dev/loop0</c>.</summary>
    public string Path { get; }

    /// <summary>Shows a file.</summary>
    /// <param name="file">A file that the caller trusts.</param>
    /// <exception cref="ErrnoException">There are no loop devices here.</exception>
    public static LoopDevice Attach(string file)
    {
        using SafeFileHandle backing = Open(file);
        using SafeFileHandle control = Open("/dev/loop-control");
        for (int attempt = 1; ; attempt++)
        {
            nint number = Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_ioctl, Interop.Kernel.Descriptor(control), LOOP_CTL_GET_FREE),
                "ioctl", "/dev/loop-control");
            LoopDevice device = new($"/dev/loop{number}");
            Errno errno = device.Show(backing);
            if (errno == Errno.None)
            {
                return device;
            }

            device.Dispose();
            if (errno != Errno.EBUSY || attempt == MostAttempts) // somebody else was faster: take the next
            {
                throw new ErrnoException("ioctl", device.Path, errno);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private static SafeFileHandle Open(string path) =>
        RootDirectory.Open(Interop.Libc.AT_FDCWD, path, Interop.Libc.O_RDONLY, mode: 0, resolve: 0);

    private unsafe Errno Show(SafeFileHandle backing)
    {
        Configuration configuration = Configuration.Of(backing);
        nint result = Interop.Kernel.Call(
            Interop.Kernel.SYS_ioctl, Interop.Kernel.Descriptor(_device), LOOP_CONFIGURE, (nint)(&configuration));
        return result == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
    }

    /// <summary>struct loop_config, 304 bytes: a struct loop_info64 of 232 bytes lies at 8.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 304)]
    private struct Configuration
    {
        private const uint LO_FLAGS_READ_ONLY = 1;
        private const uint LO_FLAGS_AUTOCLEAR = 4;

        [FieldOffset(0)]
        private uint _file;

        [FieldOffset(60)]
        private uint _flags;

        public static Configuration Of(SafeFileHandle file) => new()
        {
            _file = (uint)Interop.Kernel.Descriptor(file),
            _flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
        };
    }
}
