using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>A container's first process as the main process holds it, from its birth to the execution of the command.</summary>
internal sealed class InitLink : IDisposable
{
    private readonly OwnBinary _binary;
    private ProcessHandle? _predecessor;
    private bool _waited;

    private InitLink(OwnBinary binary, ControlSocket control, ProcessHandle process) =>
        (_binary, Control, Process) = (binary, control, process);

    /// <summary>The socket to it.</summary>
    public ControlSocket Control { get; }

    /// <summary>The process; in the end the one that has executed the command.</summary>
    public ProcessHandle Process { get; private set; }

    /// <summary>Whether the process is not our binary any more, which is so before it has been heard of here.</summary>
    public bool HasExecuted =>
        FileIdentity.TryOf($"/proc/{Process.Id}/exe", out FileIdentity program) && program != FileIdentity.Of(_binary.Handle);

    /// <summary>Makes the process. It waits for its plan.</summary>
    /// <param name="standard">Its standard streams; null for the same as here.</param>
    /// <param name="preserved">How many descriptors behind the standard streams it inherits.</param>
    /// <param name="namespaces">Where it is born.</param>
    /// <exception cref="ErrnoException">It cannot be made.</exception>
    /// <exception cref="ContainerStartException">It is not in the namespaces that were asked for.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the result")]
    public static InitLink Start(ReadOnlySpan<SafeFileHandle?> standard, int preserved, LaunchNamespaces namespaces)
    {
        OwnBinary binary = OwnBinary.Open();
        ControlSocket.Pair(out ControlSocket control, out ControlSocket there);
        using (there)
        {
            SafeFileHandle[] passed = new SafeFileHandle[preserved + 1];
            for (int i = 0; i < preserved; i++)
            {
                passed[i] = new(Launcher.FirstPassed + i, ownsHandle: false);
            }

            passed[preserved] = there.Handle;
            string count = preserved.ToString(CultureInfo.InvariantCulture);

            // a user namespace is entered by a process of its own, so that the others that are new belong to it
            ProcessHandle process = namespaces is { User: not null, HasNewPid: true }
                ? JoinProcess.Start(binary, count, standard, passed, namespaces, control)
                : Launcher.Start(binary, [InitProcess.Verb, count], standard, passed, namespaces);
            InitLink link = new(binary, control, process);
            link.Check(namespaces.User, NamespaceKinds.User);
            link.Check(namespaces.Time, NamespaceKinds.Time);
            return link;
        }
    }

    /// <summary>Tells the process what to do.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="descriptors">What it refers to.</param>
    /// <exception cref="ContainerStartException">The plan is too long, or the process is gone.</exception>
    public void Send(InitPlan plan, IReadOnlyList<SafeFileHandle> descriptors)
    {
        byte[] bytes = (plan with { DescriptorCount = descriptors.Count }).ToBytes();
        if (bytes.Length > InitPlan.MaxLength)
        {
            throw new ContainerStartException(
                "arguments", "the command line and the environment are too long", Errno.E2BIG);
        }

        byte[] header = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(header, bytes.Length);
        try
        {
            Control.Send(header);
            Control.Send(bytes);
            SafeFileHandle[] all = [.. descriptors];
            for (int start = 0; start < all.Length; start += ControlSocket.MostDescriptors)
            {
                Control.Send([0], all.AsSpan(start, Math.Min(ControlSocket.MostDescriptors, all.Length - start)));
            }
        }
        catch (ErrnoException e) when (e.Errno is Errno.EPIPE or Errno.ECONNRESET)
        {
            throw InitDialogue.Died(Process);
        }
    }

    /// <summary>Goes on with a process that has taken the place of this one.</summary>
    /// <param name="successor">Its descriptor; it belongs to this object.</param>
    /// <exception cref="IOException">It is no descriptor of a process.</exception>
    public void ContinueWith(SafeFileHandle successor)
    {
        (_predecessor, Process) = (Process, ProcessHandle.Of(successor));
    }

    /// <summary>Lets the kernel forget a process that has been succeeded, and has nothing left to do.</summary>
    public void Settle()
    {
        if (_predecessor is not null)
        {
            _predecessor.Wait();
            _predecessor.Dispose();
            _predecessor = null;
        }
    }

    /// <summary>Waits for the process to end.</summary>
    /// <returns>Its exit status; 128 and the number of the signal when one ended it.</returns>
    public int Wait()
    {
        int status = Process.Wait();
        _waited = true;
        return status;
    }

    /// <summary>Lets the process live on when this object is disposed of.</summary>
    public void Release() => _waited = true;

    /// <summary>Ends the process, unless it was waited for or released.</summary>
    public void End()
    {
        if (!_waited)
        {
            Process.TrySignal(Signals.Kill);
            Process.Wait();
            _predecessor?.TrySignal(Signals.Kill);
            Settle();
            _waited = true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        Settle();
        Process.Dispose();
        Control.Dispose();
        _binary.Dispose();
    }

    // a call between clone and execve cannot report that it has failed
    private void Check(SafeFileHandle? wanted, NamespaceKinds kind)
    {
        if (wanted is not null && !Namespaces.Has(Process.Id, wanted, kind))
        {
            Dispose();
            throw new ContainerStartException("namespaces", $"cannot join the {kind} namespace", Errno.EPERM);
        }
    }
}
