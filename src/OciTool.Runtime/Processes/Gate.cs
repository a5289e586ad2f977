using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>Where a created container waits to be started: a FIFO in its state directory.</summary>
/// <remarks>
/// The container holds nothing of the host but the reading end of the FIFO. Who starts it opens the other end, which fails
/// when nobody waits there any more, and writes a byte.
/// </remarks>
internal static class Gate
{
    private static readonly byte[] Key = [1];

    /// <summary>Makes the gate.</summary>
    /// <param name="path">Where; nothing must be there.</param>
    /// <returns>The end at which the container waits.</returns>
    /// <exception cref="ErrnoException">It cannot be made.</exception>
    public static SafeFileHandle Create(string path)
    {
        Fifo.Create(path);
        return Fifo.OpenReader(path);
    }

    /// <summary>Lets the container through.</summary>
    /// <param name="path">The gate.</param>
    /// <returns>False when nobody waits there.</returns>
    /// <exception cref="ErrnoException">It cannot be opened.</exception>
    public static bool Open(string path)
    {
        using SafeFileHandle? writer = Fifo.TryOpenWriter(path);
        if (writer is null)
        {
            return false;
        }

        Descriptors.Write(writer, Key, path);
        return true;
    }

    /// <summary>Waits to be let through. A signal that would end a program ends this process.</summary>
    /// <param name="gate">The reading end.</param>
    /// <remarks>
    /// All signals are blocked here, for the first process of a PID namespace is spared those that it has no handler for: a
    /// container that was created and not started yet could not be stopped by SIGTERM.
    /// </remarks>
    public static void Wait(SafeFileHandle gate)
    {
        using SafeFileHandle signals = Signals.OpenBlocked();
        Span<byte> key = stackalloc byte[1];
        PollEntry[] entries = new PollEntry[2];
        while (Descriptors.TryRead(gate, key) <= 0)
        {
            (entries[0], entries[1]) = (new(gate, PollEvents.Read), new(signals, PollEvents.Read));
            Poller.Wait(entries, timeout: -1);
            if (entries[1].Found.HasFlag(PollEvents.Read) && Signals.Read(signals) is var signal && Signals.Ends(signal))
            {
                ProcessImage.Exit(128 + signal);
            }

            if (entries[0].Found == PollEvents.HungUp)
            {
                Thread.Sleep(5); // somebody opened it and ended before it wrote
            }
        }
    }
}
