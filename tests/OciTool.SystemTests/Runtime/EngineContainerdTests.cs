using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>containerd and its shim run the same with our runtime as with runc.</summary>
public sealed class EngineContainerdTests(EngineContainerd containerd) : IClassFixture<EngineContainerd>
{
    [Fact]
    public Task Run_has_the_statuses_of_the_command() => containerd.BothPrintAsync(
        """
        hi
        echo 0
        seven 7
        missing 1
        executable file not found
        b
        /tmp
        terminal 0 /dev/pts/0
        """,
        """
        run --rm $rootfs one echo hi; say echo
        run --rm $rootfs one sh -c 'exit 7'; say seven
        run --rm $rootfs one nope 2>err; say missing; grep -o 'executable file not found' err
        client container rm one 2>/dev/null
        run --rm --env A=b --cwd /tmp $rootfs one sh -c 'echo $A; pwd'
        terminal "$ctr run $options --cgroup $parent/one --rm -t $rootfs one tty"
        """);

    [Fact]
    public Task A_task_lives_and_ends() => containerd.BothPrintAsync(
        """
        detached 0
        known to the runtime 1
        RUNNING
        pause 0
        PAUSED
        resume 0
        RUNNING
        processes 1
        metrics 1
        kill 0
        STOPPED
        task 0
        container 0
        """,
        """
        run -d $rootfs one sleep 1000; say detached
        echo "known to the runtime $($states | grep -c "^one ")"
        status
        client task pause one; say pause
        status
        client task resume one; say resume
        status
        echo "processes $(client task ps one | grep -c '^[0-9]')"
        echo "metrics $(client task metrics --format json one | grep -c pids)"
        client task kill -s KILL one; say kill
        eventually status STOPPED && echo STOPPED
        client task rm one; say task
        client container rm one; say container
        """);

    [Fact]
    public Task Exec_has_the_statuses_of_the_command() => containerd.BothPrintAsync(
        """
        x
        five 5
        missing 1
        executable file not found
        terminal 0 /dev/pts/0
        forced 0
        container 0
        """,
        """
        run -d $rootfs one sleep 1000
        client task exec --exec-id first one sh -c 'echo x; exit 5'; say five
        client task exec --exec-id second one nope 2>err; say missing; grep -o 'executable file not found' err
        terminal "$ctr task exec -t --exec-id third one tty"
        client task rm -f one; say forced
        client container rm one; say container
        """);
}
