using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>A container cannot take all processes of the host.</summary>
public sealed class ProcessLimitTests(Machine machine) : OciTest(machine)
{
    [Fact]
    [Fault(48, "a container that forks without an end is stopped by its limit of 2048 processes, and is gone with all of them")]
    public async Task A_fork_bomb_meets_the_limit_and_leaves_nothing()
    {
        string marker = Oci.Marker();

        ProgramResult bomb = await ScriptAsync($"i=0; while [ $i -lt 2200 ]; do sh -c 'sleep 100; : {marker}' & i=$((i+1)); done; echo made $i");

        Assert.NotEqual(0, bomb.Status);
        Assert.DoesNotContain("made", bomb.Output, StringComparison.Ordinal);
        Assert.Contains("can't fork", bomb.Error, StringComparison.Ordinal);
        Assert.Empty(await Processes.GoneAsync([marker], TimeSpan.FromSeconds(20)));
        Assert.Equal("ok\n", (await ScriptAsync("echo ok")).Succeeded().Output);
    }
}
