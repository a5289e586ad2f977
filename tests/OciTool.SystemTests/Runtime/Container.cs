using System.Globalization;
using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>A container that a runtime made for a test; its output is in a file, for nobody waits for it.</summary>
internal sealed class Container(RuntimeUnderTest runtime, string id, Bundle bundle, string output)
{
    public string Id { get; } = id;

    public Bundle Bundle { get; } = bundle;

    /// <summary>What its process has written to both streams so far.</summary>
    public string Output => File.ReadAllText(output);

    public Cgroup Cgroup => new((string)JsonNode.Parse(File.ReadAllText(Bundle.ConfigPath))!["linux"]!["cgroupsPath"]!);

    /// <summary>What <c>state</c> prints.</summary>
    public async Task<JsonObject> StateAsync() =>
        JsonNode.Parse((await runtime.RunAsync("state", Id)).Succeeded().Output)!.AsObject();

    public async Task<string> StatusAsync() => (string)(await StateAsync())["status"]!;

    /// <summary>Its process as this test's process sees it.</summary>
    public async Task<int> PidAsync() => (int)(await StateAsync())["pid"]!;

    /// <summary>Waits until its process has ended.</summary>
    public async Task<Container> StoppedAsync()
    {
        string status = await RuntimeTest.EventuallyAsync(StatusAsync, status => status == "stopped");
        Xunit.Assert.Equal("stopped", status);
        return this;
    }

    /// <summary>Waits until its process has written a text.</summary>
    public async Task<string> WritesAsync(string text)
    {
        string written = await RuntimeTest.EventuallyAsync(() => Task.FromResult(Output), written => written.Contains(text));
        Xunit.Assert.Contains(text, written);
        return written;
    }

    public Task<ProgramResult> StartAsync() => runtime.RunAsync("start", Id);

    public Task<ProgramResult> KillAsync(params string[] words) => runtime.RunAsync(["kill", Id, .. words]);

    public Task<ProgramResult> DeleteAsync(params string[] options) => runtime.RunAsync(["delete", .. options, Id]);

    public Task<ProgramResult> ExecAsync(params string[] words) => runtime.RunAsync(["exec", Id, .. words]);

    public static string Proc(int pid, string file) =>
        File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}"));
}
