using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>How the container's standard streams are joined to ours.</summary>
/// <remarks>
/// What is no terminal is handed over as it is. A terminal of the host never is: its owner could put keys into it
/// (TIOCSTI). docs/adr/0009-standard-streams.md.
/// </remarks>
internal sealed class StandardStreams : IDisposable
{
    private static readonly byte[] EndOfTransmission = [4];

    private readonly SafeFileHandle[] _own =
        [new(0, ownsHandle: false), new(1, ownsHandle: false), new(2, ownsHandle: false)];

    private readonly SafeFileHandle?[] _childEnds = new SafeFileHandle?[3];
    private readonly List<SafeFileHandle> _ourEnds = [];
    private readonly List<StreamPump> _pumps = [];
    private readonly bool _interactive;
    private Terminal.RawMode? _rawMode;
    private SafeFileHandle? _terminal;

    /// <summary>Makes the pipes that are needed.</summary>
    /// <param name="interactive">Whether the container gets our input.</param>
    /// <param name="terminal">Whether it gets a terminal, which makes pipes superfluous.</param>
    public StandardStreams(bool interactive, bool terminal)
    {
        _interactive = interactive;
        if (terminal)
        {
            return;
        }

        if (interactive && Terminal.Is(_own[0]))
        {
            Descriptors.Pipe(out SafeFileHandle read, out SafeFileHandle write);
            Descriptors.SetNonBlocking(write);
            _childEnds[0] = read;
            _ourEnds.Add(write);
            _pumps.Add(new(_own[0], write, towardsContainer: true) { CloseDestination = true });
        }

        for (int i = 1; i < 3; i++)
        {
            if (Terminal.Is(_own[i]))
            {
                Descriptors.Pipe(out SafeFileHandle read, out SafeFileHandle write);
                _childEnds[i] = write;
                _ourEnds.Add(read);
                _pumps.Add(new(read, _own[i], towardsContainer: false));
            }
        }
    }

    /// <summary>What the child gets as its descriptors 0, 1 and 2; null for our own.</summary>
    public ReadOnlySpan<SafeFileHandle?> ChildEnds => _childEnds;

    /// <summary>The size of our terminal; that of a VT100 where we have none.</summary>
    public TerminalSize Size => Terminal.SizeOf(_own[1]) ?? Terminal.SizeOf(_own[0]) ?? new(24, 80);

    /// <summary>Lets go of what only the child needs.</summary>
    public void CloseChildEnds()
    {
        foreach (SafeFileHandle? end in _childEnds)
        {
            end?.Dispose();
        }
    }

    /// <summary>Joins our streams to the container's terminal.</summary>
    /// <param name="terminal">Our side of it; belongs to this object from now on.</param>
    public void Join(SafeFileHandle terminal)
    {
        _terminal = terminal;
        _ourEnds.Add(terminal);
        Descriptors.SetNonBlocking(terminal);
        if (_interactive)
        {
            _pumps.Add(new(_own[0], terminal, towardsContainer: true) { LastBytes = EndOfTransmission });
            if (Terminal.Is(_own[0]))
            {
                _rawMode = Terminal.SetRaw(_own[0]);
            }
        }

        _pumps.Add(new(terminal, _own[1], towardsContainer: false));
        FollowSize();
    }

    /// <summary>Gives the container's terminal the size of ours.</summary>
    public void FollowSize()
    {
        if (_terminal is { IsClosed: false } terminal && (Terminal.SizeOf(_own[1]) ?? Terminal.SizeOf(_own[0])) is { } size)
        {
            Terminal.SetSize(terminal, size);
        }
    }

    /// <summary>Copies until the process has ended and its output is through.</summary>
    public void CopyUntilEnd(ProcessHandle process)
    {
        if (_pumps.Count == 0)
        {
            return; // waiting for the process is all there is to do
        }

        PollEntry[] entries = new PollEntry[_pumps.Count + 1];
        bool ended = false;
        while (true)
        {
            entries[0] = ended ? new(null, PollEvents.None) : new(process.Handle, PollEvents.Read);
            for (int i = 0; i < _pumps.Count; i++)
            {
                entries[i + 1] = ended && _pumps[i].TowardsContainer ? new(null, PollEvents.None) : _pumps[i].Entry;
            }

            // once the process has ended, what it wrote is there already: only readers of ours are waited for
            if (!Poller.Wait(entries, ended && !HasPending() ? 0 : -1))
            {
                return;
            }

            ended |= entries[0].Found != PollEvents.None;
            for (int i = 0; i < _pumps.Count; i++)
            {
                _pumps[i].Move(entries[i + 1].Found);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rawMode?.Dispose();
        CloseChildEnds();
        _ourEnds.ForEach(end => end.Dispose());
    }

    private bool HasPending()
    {
        foreach (StreamPump pump in _pumps)
        {
            if (pump.HasPending && !pump.TowardsContainer)
            {
                return true;
            }
        }

        return false;
    }
}
