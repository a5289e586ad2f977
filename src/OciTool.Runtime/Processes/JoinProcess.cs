using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Runtime.Processes;

/// <summary>Runs between the main process and the init process of a container with a user namespace.</summary>
/// <remarks>
/// The other namespaces of a container must belong to its user namespace, or its root could not even mount a procfs. A new PID
/// namespace comes with the birth of its first process, so whoever makes that has to be in the user namespace already. It
/// makes the init process a child of the main process, hands it over and ends.
/// </remarks>
public static class JoinProcess
{
    /// <summary>The first argument of the binary that makes it run this.</summary>
    public const string Verb = "__join";

    /// <summary>Runs the process.</summary>
    /// <param name="args">The verb, and the number of descriptors that the command gets behind its standard streams.</param>
    public static int Run(ReadOnlySpan<string> args)
    {
        Credentials.DieWithParent();
        Credentials.Conceal();
        int preserved = int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture);
        SafeFileHandle[] passed = new SafeFileHandle[preserved + 1];
        for (int i = 0; i < passed.Length; i++)
        {
            passed[i] = new(Launcher.FirstPassed + i, ownsHandle: false);
        }

        using OwnBinary binary = OwnBinary.Passed(Launcher.FirstPassed + passed.Length);
        using ControlSocket main = new(passed[preserved]);
        try
        {
            using ProcessHandle init = Launcher.Start(
                binary, [InitProcess.Verb, args[1]], [], passed, LaunchNamespaces.NewPid with { AsSibling = true });
            main.Send([1], init.Handle);
            return 0;
        }
        catch (ErrnoException)
        {
            return 125;
        }
    }

    /// <summary>Makes an init process by way of such a process.</summary>
    internal static ProcessHandle Start(
        OwnBinary binary,
        string preserved,
        ReadOnlySpan<SafeFileHandle?> standard,
        ReadOnlySpan<SafeFileHandle> passed,
        LaunchNamespaces namespaces,
        ControlSocket control)
    {
        using ProcessHandle join = Launcher.Start(
            binary, [Verb, preserved], standard, [.. passed, binary.Handle], namespaces with { HasNewPid = false });
        List<SafeFileHandle> handles = [];
        int status = join.Wait();
        Span<byte> mark = stackalloc byte[1];
        if (status != 0 || control.Receive(mark, handles) == 0 || handles.Count != 1)
        {
            handles.ForEach(handle => handle.Dispose());
            throw new ContainerStartException("namespaces", "cannot enter the user namespace", Errno.EPERM);
        }

        return ProcessHandle.Of(handles[0]);
    }
}
