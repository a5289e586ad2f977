using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>podman and conmon run the same with our runtime as with runc.</summary>
public sealed class EnginePodmanTests(EnginePodman podman) : EngineTest(podman), IClassFixture<EnginePodman>
{
    protected override int MissingInExec => 127;

    [Fact]
    public Task A_health_check_sees_the_container() => Engine.BothPrintAsync(
        """
        sick 1
        well 0
        healthy
        removed 0
        """,
        """
        run -d --name $c --health-cmd 'test -e /tmp/well' --health-retries 1 $image sleep 1000 >/dev/null
        engine healthcheck run $c >/dev/null; say sick
        engine exec $c touch /tmp/well
        engine healthcheck run $c >/dev/null; say well
        engine inspect -f '{{.State.Health.Status}}' $c
        engine rm -f $c >/dev/null; say removed
        """);
}
