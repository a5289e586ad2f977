using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;

namespace OciTool.Runtime.Processes;

/// <summary>This process, as the one that starts a container and stays with it until it has ended.</summary>
/// <remarks>
/// The container's first process is started before anybody knows what it will run: its start-up goes on while this
/// process looks for the image. Until <see cref="Run"/> it waits, has no namespace but that of its process number, and
/// ends with this object. docs/adr/0001-the-launcher.md.
/// </remarks>
public sealed class MainProcess : IDisposable
{
    /// <summary>How long the init process may be silent before it is given up, in milliseconds.</summary>
    private const int StartTimeout = 60_000;

    private readonly bool _interactive;
    private readonly bool _terminal;
    private readonly StandardStreams _streams;
    private readonly InitLink _init;

    private MainProcess(bool interactive, bool terminal)
    {
        (_interactive, _terminal) = (interactive, terminal);
        _streams = new StandardStreams(interactive, terminal);
        _init = InitLink.Start(_streams.ChildEnds, preserved: 0, LaunchNamespaces.NewPid);
        _streams.CloseChildEnds();
    }

    /// <summary>Starts the first process of a container to come.</summary>
    /// <param name="interactive">Whether the container gets our standard input.</param>
    /// <param name="terminal">Whether it gets a terminal of its own.</param>
    /// <returns>Ends the process when it is disposed; on the same thread.</returns>
    /// <exception cref="OciException">This process is not root's.</exception>
    /// <exception cref="IOException">A system call of this process failed.</exception>
    public static MainProcess Start(bool interactive, bool terminal)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new OciException("cannot start a container: only root can, for now")
            {
                Hint = "run oci with sudo",
            };
        }

        Signals.IgnoreClosedPipes();
        ProcessHandle.ExpectChildren();
        return new MainProcess(interactive, terminal);
    }

    /// <summary>Makes the process a container, and stays with it to its end; once only.</summary>
    /// <param name="launch">What to run.</param>
    /// <returns>The status to exit with: the command's own, or 128 and the number of the signal that ended it.</returns>
    /// <exception cref="ContainerStartException">The container could not be started.</exception>
    /// <exception cref="OciException">The spec asks for what is not supported.</exception>
    /// <exception cref="IOException">A system call of this process failed.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed in the finally block")]
    public int Run(ContainerLaunch launch)
    {
        ProcessMove? move = launch.Cgroup?.Move(_init.Process.Id);
        InitPlan plan = LaunchPlan.From(launch.Id, launch.Spec) with
        {
            Terminal = _terminal,
            TerminalSize = _streams.Size,
            EmptyInput = !_interactive && !_terminal,
            Filter = launch.SeccompProgram ?? [],
            DiesWithMain = true,
            IsMoved = move is not null,
        };
        if (launch.InitBinary is { } binary)
        {
            plan = LaunchPlan.WithInitBinary(plan, binary);
        }

        SignalForwarder? signals = null;
        SafeFileHandle? terminal = null;
        IReadOnlyList<SafeFileHandle> entrances = launch.Cgroup?.OpenEntrances() ?? [];
        try
        {
            signals = launch.SignalProxy || _terminal
                ? new SignalForwarder(_init, _terminal ? _streams.FollowSize : null)
                : null;
            _init.Send(
                plan with { CgroupEntrances = [.. Enumerable.Range(1, entrances.Count)] },
                [launch.Rootfs.Handle, .. entrances]);
            try
            {
                new InitDialogue(_init.Control, _init.Process, StartTimeout) { Terminal = file => terminal = file, Group = () => move?.Wait() }.Listen();
            }
            catch (ContainerStartException) when (signals?.Interrupted > 0)
            {
                return 128 + signals.Interrupted;
            }

            if (signals?.Interrupted > 0)
            {
                return 128 + signals.Interrupted;
            }

            signals?.CommandRuns();
            launch.Started?.Invoke(_init.Process.Id);
            if (terminal is not null)
            {
                _streams.Join(terminal);
                terminal = null;
            }

            _streams.CopyUntilEnd(_init.Process);
            return _init.Wait();
        }
        finally
        {
            _init.End(); // before signals have their own effect again
            signals?.Dispose();
            terminal?.Dispose();
            foreach (SafeFileHandle entrance in entrances)
            {
                entrance.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _init.Dispose();
        _streams.Dispose();
    }
}
