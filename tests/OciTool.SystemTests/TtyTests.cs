using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Containers on a terminal.</summary>
public sealed class TtyTests(Machine machine) : OciTest(machine)
{
    private const string Loop = "echo ready; while :; do sleep 0.05; done";

    [Fact]
    public async Task All_three_streams_are_a_terminal_with_t_and_none_without()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string script = "for fd in 0 1 2; do test -t $fd && echo terminal || echo none; done";
        using Terminal terminal = await Terminal.StartAsync(
            Oci, "oci run --rm -it \"$1\" sh -c \"$2\"; echo; oci run --rm -i \"$1\" sh -c \"$2\" 2>&1 | cat; echo done", image, script);

        string shown = (await terminal.ShowsAsync("done")).ReplaceLineEndings("\n");

        Assert.Contains("terminal\nterminal\nterminal\n", shown, StringComparison.Ordinal);
        Assert.EndsWith("none\ndone", shown.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_is_made_also_where_ours_are_pipes()
    {
        ProgramResult run = await RunInPlainAsync(["-t"], "tty");

        Assert.Equal("/dev/pts/0\r\n", run.Succeeded().Output);
    }

    [Fact]
    public async Task The_terminal_is_raw_while_the_container_runs_and_as_before_afterwards()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        using Terminal terminal = await Terminal.StartAsync(
            Oci, "read go; oci run --rm -it \"$1\" sh -c 'echo ready; read line; exit 5'; echo status=$?; read end", image);
        string before = await terminal.SettingsAsync();

        await terminal.TypeAsync("go\n");
        await terminal.ShowsAsync("ready");
        string during = await terminal.SettingsAsync();
        await terminal.TypeAsync("bye\r");
        await terminal.ShowsAsync("status=5");

        Assert.Contains(" -icanon", during, StringComparison.Ordinal);
        Assert.Contains(" -echo ", during, StringComparison.Ordinal);
        Assert.Contains("-isig", during, StringComparison.Ordinal);
        Assert.Equal(before, await terminal.SettingsAsync());
        await terminal.TypeAsync("\n");
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    [InlineData("INT")]
    public async Task A_signal_that_ends_the_container_leaves_the_terminal_as_it_was(string signal)
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        using Terminal terminal = await Terminal.StartAsync(
            Oci,
            $"read go; oci run --rm --init -it --cidfile {Oci["cid"]} \"$1\" sh -c '{Loop}' \"$2\"; echo status=$?; read end",
            image, marker);
        string before = await terminal.SettingsAsync();
        await terminal.TypeAsync("go\n");
        await terminal.ShowsAsync("ready");

        // the process that people would signal is the one that they started: the eldest
        int started = Processes.With(Oci["cid"]).Min(process => process.Id);
        await Shell.RunAsync("kill", $"-{signal}", $"{started}");
        await terminal.ShowsAsync("status=1");

        Assert.Equal(before, await terminal.SettingsAsync());
        Assert.Empty(await Processes.GoneAsync([marker], TimeSpan.FromSeconds(5)));
        await terminal.TypeAsync("\n");
    }

    [Fact]
    public async Task A_failing_start_leaves_the_terminal_as_it_was()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        using Terminal terminal = await Terminal.StartAsync(
            Oci, "read go; oci run --rm -it \"$1\" nosuchcommand; echo status=$?; read end", image);
        string before = await terminal.SettingsAsync();

        await terminal.TypeAsync("go\n");
        string shown = await terminal.ShowsAsync("status=127");

        Assert.Contains("Error: ", shown, StringComparison.Ordinal);
        Assert.Equal(before, await terminal.SettingsAsync());
        await terminal.TypeAsync("\n");
    }

    [Fact]
    public async Task The_window_size_is_right_from_the_start_and_follows_every_change()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string marker = Oci.Marker();
        string script = "trap 'echo now $(stty size)' WINCH; trap exit TERM; echo first $(stty size); " + Loop;
        using Terminal terminal = await Terminal.StartAsync(Oci, "oci run --rm -it --name sized \"$1\" sh -c \"$2\" \"$3\"", image, script, marker);

        await terminal.ShowsAsync("first 24 80");
        await terminal.ShowsAsync("ready");
        await terminal.ResizeAsync(33, 101);

        await terminal.ShowsAsync("now 33 101");
        (await Oci.RunAsync("rm", "-f", "-t", "0", "sized")).Succeeded(); // as with podman, it would outlive its terminal
    }

    [Fact]
    public async Task Control_c_interrupts_what_runs_in_the_container_and_not_run()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        string script = "trap 'echo interrupted; exit 7' INT; " + Loop;
        using Terminal terminal = await Terminal.StartAsync(
            Oci, "oci run --rm -it \"$1\" sh -c \"$2\" \"$3\"; echo status=$?", image, script, Oci.Marker());
        await terminal.ShowsAsync("ready");

        await terminal.TypeAsync("\u0003");

        string shown = await terminal.ShowsAsync("status=7");
        Assert.Contains("interrupted", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_typed_reaches_the_container_and_is_echoed_once()
    {
        string image = await Oci.PullAsync(await Machine.PlainAsync());
        using Terminal terminal = await Terminal.StartAsync(
            Oci, "oci run --rm -it \"$1\" sh -c 'echo ready; read line; echo \"<$line>\"'; echo status=$?", image);
        await terminal.ShowsAsync("ready");

        await terminal.TypeAsync("typed\r");

        string shown = await terminal.ShowsAsync("status=0");
        Assert.Contains("<typed>", shown, StringComparison.Ordinal);
        Assert.Equal(2, shown.Split("typed").Length - 1);
    }
}
