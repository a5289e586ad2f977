using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>docker, its containerd and its shim run the same with our runtime as with runc.</summary>
public sealed class EngineDockerTests(EngineDocker docker) : EngineTest(docker), IClassFixture<EngineDocker>
{
    protected override int MissingInExec => 126;

    [Fact]
    public Task A_health_check_sees_the_container() => Engine.BothPrintAsync(
        """
        unhealthy
        healthy
        removed 0
        """,
        """
        run -d --name $c --health-cmd 'test -e /tmp/well' --health-interval 500ms --health-retries 1 $image sleep 1000 >/dev/null
        eventually "engine inspect -f '{{.State.Health.Status}}' $c" unhealthy && echo unhealthy
        engine exec $c touch /tmp/well
        eventually "engine inspect -f '{{.State.Health.Status}}' $c" healthy && echo healthy
        engine rm -f $c >/dev/null; say removed
        """);
}
