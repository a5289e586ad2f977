using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>A docker daemon that knows our runtime by the name <c>oci</c>.</summary>
public sealed class EngineDocker : Engine
{
    private Dockerd? _dockerd;

    protected override string Home => _dockerd!.Directory;

    protected override async Task StartAsync()
    {
        _dockerd = await Dockerd.StartAsync("--add-runtime", $"oci={ProgramOf(RuntimeUnderTest.OciRuntime)}");
        (await Shell.RunAsync("sh", "-c", $"{Definitions(RuntimeUnderTest.Runc)}\ntar -C '{Rootfs}' -c . | engine import - busybox")).Succeeded();
    }

    protected override async Task StopAsync()
    {
        if (_dockerd is not null)
        {
            await _dockerd.DisposeAsync();
        }
    }

    protected override string Definitions(string runtime)
    {
        string name = runtime == RuntimeUnderTest.OciRuntime ? "oci" : runtime;
        return $$"""
            engine="docker -H {{_dockerd!.Socket}}"
            run="$engine run --runtime {{name}} --cgroup-parent {{CgroupParentOf(runtime)}} --stop-timeout 1"
            engine() { $engine "$@"; }
            run() { $run --network "${network:-none}" "$@"; }
            states='find {{_dockerd.States}} -mindepth 1 -maxdepth 1'
            image=busybox
            c={{runtime}}
            """;
    }
}
