using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>What a descriptor is waited for, or found to be: <c>POLL*</c> of poll(2).</summary>
[Flags]
public enum PollEvents : short
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>There is something to read.</summary>
    Read = 1,

    /// <summary>Something can be written.</summary>
    Write = 4,

    /// <summary>There was an error; reported unasked.</summary>
    Error = 8,

    /// <summary>The other end is closed; reported unasked.</summary>
    HungUp = 16,
}

/// <summary>A descriptor to wait for: struct pollfd, 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PollEntry
{
    private readonly int _descriptor;
    private readonly PollEvents _wanted;
    private readonly PollEvents _found;

    /// <summary>Waits for something; a null descriptor is passed over.</summary>
    public PollEntry(SafeFileHandle? file, PollEvents wanted)
    {
        _descriptor = file is null ? -1 : (int)file.DangerousGetHandle();
        _wanted = wanted;
    }

    /// <summary>What was found.</summary>
    public PollEvents Found => _found;
}

/// <summary>Waits for descriptors on one thread.</summary>
public static class Poller
{
    /// <summary>Waits until one of the descriptors has something.</summary>
    /// <param name="entries">The descriptors; what is found is written into them.</param>
    /// <param name="timeout">How long, in milliseconds; -1 for ever.</param>
    /// <returns>False when the time is over; an interruption by a signal returns true with nothing found.</returns>
    /// <exception cref="ErrnoException">A descriptor is not open.</exception>
    public static unsafe bool Wait(Span<PollEntry> entries, int timeout)
    {
        long* time = stackalloc long[2];
        time[0] = timeout / 1000;
        time[1] = timeout % 1000 * 1_000_000L;
        fixed (PollEntry* pointer = entries)
        {
            nint result = Interop.Kernel.CallOnce(
                Interop.Kernel.SYS_ppoll, (nint)pointer, entries.Length, timeout < 0 ? 0 : (nint)time, 0, 8);
            if (result < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR)
            {
                return true; // nothing has been written into the entries
            }

            return Interop.Kernel.Checked(result, "poll") > 0;
        }
    }
}
