using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>Copies bytes from one descriptor to another, as much as both are ready for.</summary>
/// <param name="from">Where bytes come from.</param>
/// <param name="to">Where they go.</param>
/// <param name="towardsContainer">Whether this is input: there is no more of it once the container has ended.</param>
internal sealed class StreamPump(SafeFileHandle from, SafeFileHandle to, bool towardsContainer)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _discard;

    /// <summary>Whether this is input of the container.</summary>
    public bool TowardsContainer => towardsContainer;

    /// <summary>Whether something was read that is not written yet.</summary>
    public bool HasPending => _start < _end;

    /// <summary>Whether nothing will come any more.</summary>
    public bool Ended { get; private set; }

    /// <summary>Written once the source has ended: a terminal learns of it by a key, a pipe by being closed.</summary>
    public byte[] LastBytes { get; init; } = [];

    /// <summary>Whether the destination is closed once the source has ended.</summary>
    public bool CloseDestination { get; init; }

    /// <summary>What to wait for.</summary>
    public PollEntry Entry => Ended ? new(null, PollEvents.None)
        : _start == _end ? new(from, PollEvents.Read)
        : new(to, PollEvents.Write);

    /// <summary>Moves what is ready.</summary>
    /// <param name="found">What was found when waiting for <see cref="Entry"/>.</param>
    public void Move(PollEvents found)
    {
        if (Ended || found == PollEvents.None)
        {
            return;
        }

        if (_start == _end)
        {
            Read();
        }

        if (_start < _end)
        {
            Write();
        }
    }

    private void Read()
    {
        int read = Descriptors.TryRead(from, _buffer);
        if (read == -(int)Errno.EAGAIN)
        {
            return;
        }

        if (read <= 0) // the end, or EIO: nobody has the terminal's other side open any more
        {
            if (LastBytes.Length > 0)
            {
                Descriptors.TryWrite(to, LastBytes);
            }

            End();
            return;
        }

        (_start, _end) = (0, _discard ? 0 : read);
    }

    private void Write()
    {
        int written = Descriptors.TryWrite(to, _buffer.AsSpan(_start, _end - _start));
        if (written >= 0)
        {
            _start += written;
        }
        else if (written != -(int)Errno.EAGAIN)
        {
            (_start, _end) = (0, 0);
            if (towardsContainer)
            {
                End();
            }
            else
            {
                _discard = true; // whoever read our output is gone; the container may still need to be drained
            }
        }
    }

    private void End()
    {
        Ended = true;
        if (CloseDestination)
        {
            to.Dispose();
        }
    }
}
