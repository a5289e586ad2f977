using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>What podman and docker, which have nearly the same command line, do the same with our runtime and with runc.</summary>
public abstract class EngineTest(Engine engine)
{
    /// <summary>The status of <c>exec</c> for a command that is not there.</summary>
    protected abstract int MissingInExec { get; }

    protected Engine Engine { get; } = engine;

    [Fact]
    public Task Run_has_the_statuses_and_the_streams_of_the_command() => Engine.BothPrintAsync(
        """
        hi
        echo 0
        missing 127
        executable file not found
        not executable 126
        permission denied
        seven 7
        err
        in
        stdin 0
        """,
        """
        run --rm $image echo hi; say echo
        run --rm $image nope 2>err; say missing; grep -o 'executable file not found' err | head -n 1
        run --rm $image /etc/passwd 2>err; say 'not executable'; grep -o 'permission denied' err | head -n 1
        run --rm $image sh -c 'echo err >&2; exit 7' 2>err; say seven; cat err
        echo in | run --rm -i $image cat; say stdin
        """);

    [Fact]
    public Task Options_of_the_process_arrive() => Engine.BothPrintAsync(
        """
        12
        34
        /tmp
        b
        CapBnd:	0000000000002000
        NoNewPrivs:	1
        init 0
        """,
        """
        run --rm --user 12:34 --workdir /tmp --env A=b $image sh -c 'id -u; id -g; pwd; echo $A'
        run --rm --cap-drop ALL --cap-add NET_RAW $image grep CapBnd /proc/self/status
        run --rm --security-opt no-new-privileges $image grep NoNewPrivs /proc/self/status
        run --rm --init $image sh -c '[ $$ != 1 ] && grep -q init /proc/1/comm'; say init
        """);

    [Fact]
    public Task Mounts_and_namespaces_arrive() => Engine.BothPrintAsync(
        """
        root:x:0:0::/root:/bin/sh
        volume 1
        read-only 1
        pid 0
        network 0
        own network 1
        """,
        """
        run --rm --volume $rootfs:/data:ro $image sh -c 'cat /data/etc/passwd; touch /data/x 2>/dev/null'; say volume
        run --rm --read-only $image sh -c 'touch /x 2>/dev/null'; say read-only
        run --rm --pid=host $image sh -c '[ $$ != 1 ]'; say pid
        network=host run --rm $image readlink /proc/self/ns/net >ns; readlink /proc/self/ns/net | cmp -s - ns; say network
        network=none run --rm $image readlink /proc/self/ns/net >ns; readlink /proc/self/ns/net | cmp -s - ns; say 'own network'
        """);

    [Fact]
    public Task Limits_are_those_of_the_group() => Engine.BothPrintAsync(
        """
        67108864
        33
        50000 100000
        out of memory 137
        """,
        """
        run --rm --memory 64m --memory-swap 64m --pids-limit 33 --cpus 0.5 $image sh -c "$memory; $pids; $cpu"
        run --rm --memory 20m --memory-swap 20m $image tail /dev/zero; say 'out of memory'
        """);

    [Fact]
    public Task A_terminal_is_the_containers() => Engine.BothPrintAsync(
        """
        terminal 3 /dev/pts/0
        terminal 0 /dev/pts/0
        removed 0
        """,
        """
        terminal "$run --network none --rm -t $image sh -c 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && exit 3'"
        run -d --name $c $image sleep 1000 >/dev/null
        terminal "$engine exec -t $c tty"
        engine rm -f $c >/dev/null; say removed
        """);

    [Fact]
    public Task Exec_has_the_statuses_and_the_streams_of_the_command() => Engine.BothPrintAsync(
        $"""
        1 sleep 1000
        five 5
        missing {MissingInExec}
        not executable 126
        12
        typed
        removed 0
        """,
        """
        run -d --name $c $image sleep 1000 >/dev/null
        engine exec $c ps -o pid,args | grep -o '1 sleep 1000'
        engine exec $c sh -c 'exit 5'; say five
        engine exec $c nope >/dev/null; say missing
        engine exec $c /etc/passwd >/dev/null; say 'not executable'
        engine exec -u 12:34 $c id -u
        echo typed | engine exec -i $c cat
        engine rm -f $c >/dev/null; say removed
        """);

    [Fact]
    public Task A_detached_container_lives_and_ends() => Engine.BothPrintAsync(
        """
        detached 0
        out
        known to the runtime 1
        pause 0
        paused
        unpause 0
        running
        1
        stop 0
        exited 137
        start 0
        running
        restart 0
        running
        kill 0
        137
        removed 0
        """,
        """
        id=$(run -d --name $c $image sh -c 'echo out; echo err >&2; sleep 1000'); say detached
        eventually "engine logs $c 2>&1 | wc -l" 2
        engine logs $c
        echo "known to the runtime $($states | grep -c "$id")"
        engine pause $c >/dev/null; say pause
        engine inspect -f '{{.State.Status}}' $c
        engine unpause $c >/dev/null; say unpause
        engine inspect -f '{{.State.Status}}' $c
        engine top $c | grep -c 'sleep 1000 *$'
        engine stop -t 1 $c >/dev/null; say stop
        engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' $c
        engine start $c >/dev/null; say start
        engine inspect -f '{{.State.Status}}' $c
        engine restart -t 0 $c >/dev/null; say restart
        engine inspect -f '{{.State.Status}}' $c
        engine kill -s KILL $c >/dev/null; say kill
        engine wait $c
        engine rm $c >/dev/null; say removed
        """);

    [Fact]
    public Task A_running_container_is_measured_and_updated() => Engine.BothPrintAsync(
        """
        stats 1
        update 0
        67108864
        removed 0
        """,
        """
        run -d --name $c $image sleep 1000 >/dev/null
        echo "stats $(engine stats --no-stream --format '{{.Name}} {{.PIDs}}' $c | grep -cx "$c 1")"
        engine update --memory 64m --memory-swap 64m $c >/dev/null; say update
        engine exec $c sh -c "$memory"
        engine rm -f $c >/dev/null; say removed
        """);
}
