using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>podman with its own storage, which keeps its groups itself and needs no network plugin.</summary>
public sealed class EnginePodman : Engine
{
    protected override async Task StartAsync()
    {
        Need.Programs("podman", "conmon");
        // default_ulimits: podman's own are more than a machine without CAP_SYS_RESOURCE may give
        await File.WriteAllTextAsync(this["containers.conf"], """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
            [engine]
            runtime_supports_json = ["oci-runtime", "runc"]
            """);
        (await Shell.RunAsync("sh", "-c", $"{Definitions(RuntimeUnderTest.Runc)}\ntar -C '{Rootfs}' -c . | engine import -q - busybox")).Succeeded();
    }

    protected override string Definitions(string runtime) => $$"""
        export CONTAINERS_CONF='{{this["containers.conf"]}}'
        engine="podman --root {{this["store"]}} --runroot {{this["run"]}} --storage-driver overlay --runtime {{ProgramOf(runtime)}} --cgroup-manager cgroupfs --events-backend file"
        run="$engine run --cgroup-parent {{CgroupParentOf(runtime)}} --stop-timeout 1"
        engine() { $engine "$@"; }
        run() { $run --network "${network:-none}" "$@"; }
        states='{{ProgramOf(runtime)}} list'
        image=busybox
        c={{runtime}}
        """;
}
