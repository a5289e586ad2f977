using System.Buffers.Binary;
using OciTool.Images;
using OciTool.Linux;

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
    private readonly OwnBinary _binary;
    private readonly ControlSocket _control;
    private readonly ProcessHandle _init;
    private bool _waited;

    private MainProcess(bool interactive, bool terminal)
    {
        (_interactive, _terminal) = (interactive, terminal);
        _streams = new StandardStreams(interactive, terminal);
        _binary = OwnBinary.Open();
        ControlSocket.Pair(out _control, out ControlSocket there);
        using (there)
        {
            _init = Launcher.Start(_binary, [InitProcess.Verb], _streams.ChildEnds, [there.Handle], LaunchNamespaces.NewPid);
        }

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
    public int Run(ContainerLaunch launch)
    {
        InitPlan plan = LaunchPlan.From(launch) with
        {
            Terminal = _terminal,
            TerminalSize = _streams.Size,
            EmptyInput = !_interactive && !_terminal,
        };
        SignalForwarder? signals = null;
        try
        {
            signals = launch.SignalProxy || _terminal
                ? new SignalForwarder(_init, _terminal ? _streams.FollowSize : null)
                : null;
            Send(plan, launch.Rootfs);
            StartReport report = StartReport.Receive(_control, _init, StartTimeout);
            if (signals?.Interrupted > 0)
            {
                return 128 + signals.Interrupted;
            }

            if (report.Failure is { } failure)
            {
                report.Terminal?.Dispose();
                throw failure;
            }

            signals?.CommandRuns();
            launch.Started?.Invoke(_init.Id);
            if (report.Terminal is { } terminal)
            {
                _streams.Join(terminal);
            }

            _streams.CopyUntilEnd(_init);
            int status = _init.Wait();
            _waited = true;
            return status;
        }
        finally
        {
            End(); // before signals have their own effect again
            signals?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        _init.Dispose();
        _control.Dispose();
        _binary.Dispose();
        _streams.Dispose();
    }

    private void End()
    {
        if (!_waited)
        {
            _init.TrySignal(Signals.Kill);
            _init.Wait();
            _waited = true;
        }
    }

    private void Send(InitPlan plan, RootDirectory rootfs)
    {
        byte[] bytes = plan.ToBytes();
        if (bytes.Length > InitPlan.MaxLength)
        {
            throw new ContainerStartException(
                "arguments", "the command line and the environment are too long", Errno.E2BIG);
        }

        byte[] header = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, bytes.Length);
        try
        {
            _control.Send(header, rootfs.Handle);
            _control.Send(bytes);
        }
        catch (ErrnoException e) when (e.Errno is Errno.EPIPE or Errno.ECONNRESET)
        {
            throw StartReport.Died(_init);
        }
    }
}
