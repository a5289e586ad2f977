using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>Runs a container whose record and configuration are complete, to its end: the last part of <c>run</c> and all of <c>start</c>.</summary>
/// <param name="containers">The containers; this process holds the container's lock.</param>
/// <param name="error">Where warnings go.</param>
internal sealed class ContainerRun(ContainerStore containers, TextWriter error)
{
    /// <summary>What to run.</summary>
    public required RuntimeSpec Spec { get; init; }

    /// <summary>The container's root, mounted.</summary>
    public required RootDirectory Rootfs { get; init; }

    /// <summary>The system call filter; null for none.</summary>
    public SeccompSelection? Seccomp { get; init; }

    /// <summary>Where compiled filters are kept.</summary>
    public required string SeccompCache { get; init; }

    /// <summary>Whether a small program reaps what the command leaves.</summary>
    public bool Init { get; init; }

    /// <summary>Whether signals go to the container.</summary>
    public bool SignalProxy { get; init; }

    /// <summary>Runs it.</summary>
    /// <param name="process">The container's first process.</param>
    /// <param name="container">The container.</param>
    /// <returns>The status to exit with.</returns>
    /// <exception cref="OciException">It could not be started.</exception>
    public int Run(MainProcess process, ContainerRecord container)
    {
        Cgroup? cgroup = Cgroup.Create(container.Id, Spec.Linux?.Resources, out string? unlimited);
        if (unlimited is not null)
        {
            error.Write($"Warning: {unlimited}\n");
        }

        try
        {
            int status = process.Run(new ContainerLaunch
            {
                Id = container.Id,
                Spec = Spec,
                Rootfs = Rootfs,
                SeccompProgram = Seccomp?.Compile(SeccompCache),
                InitBinary = Init ? InitBinary.Find() : null,
                Cgroup = cgroup,
                SignalProxy = SignalProxy,
                Started = pid =>
                {
                    container = container with
                    {
                        State = ContainerState.Running,
                        Pid = pid,
                        StartedAt = TimeProvider.System.GetUtcNow(),
                    };
                    containers.Update(container);
                },
            });
            if (!container.AutoRemove)
            {
                containers.Update(container with
                {
                    State = ContainerState.Exited,
                    Pid = 0,
                    ExitCode = status,
                    FinishedAt = TimeProvider.System.GetUtcNow(),
                });
            }

            return status;
        }
        finally
        {
            cgroup?.Delete();
        }
    }
}
