using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;

namespace OciTool.Runtime.Processes;

/// <summary>Starts a container from this process, and stays with it until it has ended.</summary>
public static class MainProcess
{
    /// <summary>How long the init process may be silent before it is given up, in milliseconds.</summary>
    private const int StartTimeout = 60_000;

    /// <summary>Runs a container to its end.</summary>
    /// <param name="launch">What to run.</param>
    /// <returns>The status to exit with: the command's own, or 128 and the number of the signal that ended it.</returns>
    /// <exception cref="ContainerStartException">The container could not be started.</exception>
    /// <exception cref="OciException">The spec asks for what is not supported, or this process is not root's.</exception>
    /// <exception cref="IOException">A system call of this process failed.</exception>
    public static int Run(ContainerLaunch launch)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new OciException("cannot start a container: only root can, for now")
            {
                Hint = "run oci with sudo",
            };
        }

        using StandardStreams streams = new(launch.Interactive, launch.Terminal);
        InitPlan plan = LaunchPlan.From(launch, streams.Size);
        Signals.IgnoreClosedPipes();
        ProcessHandle.ExpectChildren();
        using OwnBinary binary = OwnBinary.Open();
        ControlSocket.Pair(out ControlSocket here, out ControlSocket there);
        using (here)
        using (there)
        {
            using ProcessHandle init = Start(launch, plan, streams, binary, there);
            there.Dispose();
            streams.CloseChildEnds();
            return Attend(launch, plan, streams, here, init);
        }
    }

    // with cgroup v1 the child begins in the container's groups: to move a process there takes 5 to 50 ms (see Cgroup.Enter)
    private static ProcessHandle Start(
        ContainerLaunch launch, InitPlan plan, StandardStreams streams, OwnBinary binary, ControlSocket control)
    {
        using CgroupMembership? membership = launch.Cgroup is { UnifiedDirectory: null } v1 ? v1.Enter() : null;
        return Launcher.Start(
            binary,
            [InitProcess.Verb],
            plan.Namespaces.HasFlag(NamespaceKinds.Pid),
            streams.ChildEnds,
            [control.Handle, launch.Rootfs.Handle]);
    }

    private static int Attend(
        ContainerLaunch launch, InitPlan plan, StandardStreams streams, ControlSocket control, ProcessHandle init)
    {
        bool waited = false;
        SignalForwarder? signals = null;
        try
        {
            signals = launch.SignalProxy || launch.Terminal
                ? new SignalForwarder(init, launch.Terminal ? streams.FollowSize : null)
                : null;
            if (launch.Cgroup is { UnifiedDirectory: not null } v2)
            {
                v2.Add(init.Id); // before it goes on: a cgroup namespace begins where the process is
            }

            SendPlan(control, plan, init);
            StartReport report = StartReport.Receive(control, init, StartTimeout);
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
            launch.Started?.Invoke(init.Id);
            if (report.Terminal is { } terminal)
            {
                streams.Join(terminal);
            }

            streams.CopyUntilEnd(init);
            int status = init.Wait();
            waited = true;
            return status;
        }
        finally
        {
            if (!waited)
            {
                init.TrySignal(Signals.Kill);
                init.Wait();
            }

            signals?.Dispose();
            launch.Cgroup?.Delete();
        }
    }

    private static void SendPlan(ControlSocket control, InitPlan plan, ProcessHandle init)
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
            control.Send(header);
            control.Send(bytes);
        }
        catch (ErrnoException e) when (e.Errno is Errno.EPIPE or Errno.ECONNRESET)
        {
            throw StartReport.Died(init);
        }
    }
}
