using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>containerd without its Kubernetes part, and ctr for its client; each runtime has a namespace of its own.</summary>
public sealed class EngineContainerd : Engine
{
    private Containerd? _daemon;

    protected override async Task StartAsync() => _daemon = await Containerd.StartAsync(Home);

    protected override async Task StopAsync()
    {
        if (_daemon is null)
        {
            return;
        }

        await _daemon.DisposeAsync();
        foreach (string states in RuntimeUnderTest.All.Select(StatesOf).Where(Directory.Exists))
        {
            Directory.Delete(states, recursive: true);
        }
    }

    // env: without an image ctr gives the process no PATH
    protected override string Definitions(string runtime) => $$"""
        ctr="ctr -a {{_daemon!.Socket}} -n {{NamespaceOf(runtime)}}"
        client() { $ctr "$@"; }
        options="--runc-binary {{ProgramOf(runtime)}} --env PATH=/bin --rootfs"
        parent={{CgroupParentOf(runtime)}}
        run() { $ctr run $options --cgroup $parent/one "$@"; }
        status() { client task ls | awk '$1=="one"{print $3}'; }
        states='{{ProgramOf(runtime)}} --root {{StatesOf(runtime)}} list'
        """;

    // the shim's own root: no option of ctr changes it
    private string StatesOf(string runtime) => $"/run/containerd/runc/{NamespaceOf(runtime)}";

    private string NamespaceOf(string runtime) => CgroupParentOf(runtime)[1..];
}
