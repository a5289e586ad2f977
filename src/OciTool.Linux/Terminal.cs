using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A terminal's size, in characters.</summary>
public readonly record struct TerminalSize(ushort Rows, ushort Columns);

/// <summary>What can be asked of a terminal.</summary>
/// <remarks>ioctl_tty(2). The numbers are asm-generic's, which x86-64 and arm64 share.</remarks>
public static class Terminal
{
    private const nint TCGETS = 0x5401;
    private const nint TCSETSW = 0x5403;
    private const nint TIOCSCTTY = 0x540e;
    private const nint TIOCGWINSZ = 0x5413;
    private const nint TIOCSWINSZ = 0x5414;
    private const nint TIOCSPTLCK = 0x40045431;
    private const nint TIOCGPTPEER = 0x5441;
    private const nint O_RDWR_NOCTTY_CLOEXEC = 0x80102;

    /// <summary>Whether a descriptor stands for a terminal.</summary>
    public static unsafe bool Is(SafeFileHandle file)
    {
        Settings settings;
        return Control(file, TCGETS, (nint)(&settings)) == 0;
    }

    /// <summary>The size of a terminal, or null where the descriptor stands for none.</summary>
    public static unsafe TerminalSize? SizeOf(SafeFileHandle file)
    {
        ushort* size = stackalloc ushort[4];
        return Control(file, TIOCGWINSZ, (nint)size) == 0 ? new TerminalSize(size[0], size[1]) : null;
    }

    /// <summary>Sets the size; who reads the terminal gets SIGWINCH when it has changed.</summary>
    public static unsafe void SetSize(SafeFileHandle file, TerminalSize size)
    {
        ushort* bytes = stackalloc ushort[4];
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (size.Rows, size.Columns, 0, 0);
        Control(file, TIOCSWINSZ, (nint)bytes);
    }

    /// <summary>Opens the other side of a pseudo terminal without resolving a path.</summary>
    /// <param name="multiplexer">An opened <c>ptmx</c> of a devpts.</param>
    /// <returns>The side that programs use.</returns>
    /// <exception cref="ErrnoException">There are no more terminals.</exception>
    public static unsafe SafeFileHandle OpenPeer(SafeFileHandle multiplexer)
    {
        int unlocked = 0;
        Interop.Kernel.Checked(Control(multiplexer, TIOCSPTLCK, (nint)(&unlocked)), "ioctl", "TIOCSPTLCK");
        return Interop.Kernel.Opened(Control(multiplexer, TIOCGPTPEER, O_RDWR_NOCTTY_CLOEXEC), "ioctl", "TIOCGPTPEER");
    }

    /// <summary>Makes a terminal that of this session.</summary>
    /// <exception cref="ErrnoException">This process leads no session, or the terminal belongs to another.</exception>
    public static void Adopt(SafeFileHandle file) =>
        Interop.Kernel.Checked(Control(file, TIOCSCTTY, 0), "ioctl", "TIOCSCTTY");

    /// <summary>Passes every key through, until the result is disposed of.</summary>
    /// <param name="file">A terminal.</param>
    /// <exception cref="ErrnoException">The descriptor stands for no terminal.</exception>
    public static RawMode SetRaw(SafeFileHandle file) => Set(file, settings => settings.Raw());

    /// <summary>Does not show what is typed, until the result is disposed of; lines and signals stay as they are.</summary>
    /// <param name="file">A terminal.</param>
    /// <exception cref="ErrnoException">The descriptor stands for no terminal.</exception>
    public static RawMode SetSilent(SafeFileHandle file) => Set(file, settings => settings.Silent());

    private static unsafe RawMode Set(SafeFileHandle file, Func<Settings, Settings> change)
    {
        Settings before;
        Interop.Kernel.Checked(Control(file, TCGETS, (nint)(&before)), "ioctl", "TCGETS");
        Settings after = change(before);
        Interop.Kernel.Checked(Control(file, TCSETSW, (nint)(&after)), "ioctl", "TCSETS");
        return new RawMode(file, before);
    }

    private static nint Control(SafeFileHandle file, nint request, nint argument) =>
        Interop.Kernel.Call(Interop.Kernel.SYS_ioctl, Interop.Kernel.Descriptor(file), request, argument);

    /// <summary>A terminal whose settings were changed; disposing of it restores what was before.</summary>
    public sealed class RawMode : IDisposable
    {
        private readonly SafeFileHandle _file;
        private Settings _before;

        internal RawMode(SafeFileHandle file, in Settings before) => (_file, _before) = (file, before);

        /// <inheritdoc/>
        public unsafe void Dispose()
        {
            fixed (Settings* before = &_before)
            {
                Control(_file, TCSETSW, (nint)before);
            }
        }
    }

    /// <summary>The kernel's struct termios, 36 bytes (glibc's is longer).</summary>
    internal unsafe struct Settings
    {
        private uint _input;
        private uint _output;
        private uint _control;
        private uint _local;
        private fixed byte _characters[20]; // the first is the line discipline

        /// <summary>Without ECHO.</summary>
        internal readonly Settings Silent()
        {
            Settings silent = this;
            silent._local &= ~0x8u;
            return silent;
        }

        /// <summary>As cfmakeraw(3) does it.</summary>
        internal readonly Settings Raw()
        {
            Settings raw = this;
            raw._input &= ~0x5ebu; // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
            raw._output &= ~0x1u; // OPOST
            raw._local &= ~0x804bu; // ECHO ECHONL ICANON ISIG IEXTEN
            raw._control = (raw._control & ~0x130u) | 0x30u; // CSIZE PARENB, CS8
            raw._characters[1 + 6] = 1; // VMIN
            raw._characters[1 + 5] = 0; // VTIME
            return raw;
        }
    }
}
