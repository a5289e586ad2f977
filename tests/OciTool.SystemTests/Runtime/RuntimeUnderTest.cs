using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests.Runtime;

/// <summary>A runtime with a directory of its own for its state; disposing ends all its containers and checks that nothing is left.</summary>
internal sealed class RuntimeUnderTest : IAsyncDisposable
{
    public const string Runc = "runc";
    public const string OciRuntime = "oci-runtime";

    /// <summary>The group above the groups of all containers of all tests here.</summary>
    public const string CgroupParent = "/oci-systests";

    private readonly TemporaryDirectory _directory = new();
    private readonly string _token = Guid.NewGuid().ToString("N")[..12];
    private int _count;

    private RuntimeUnderTest(string name, string path)
    {
        Name = name;
        Path = path;
        // the root of a user namespace has to reach the root filesystem
        File.SetUnixFileMode(_directory.Path, (UnixFileMode)0b111_001_001);
    }

    /// <summary>The names of all that are tested.</summary>
    public static IReadOnlyList<string> All { get; } = [OciRuntime, Runc];

    public string Name { get; }

    /// <summary>The program.</summary>
    public string Path { get; private set; }

    public string Root => _directory["state"];

    /// <summary>The group above those of this test's containers.</summary>
    public Cgroup Cgroup => new($"{CgroupParent}-{_token}");

    /// <summary>A path for the test's own files.</summary>
    public string this[string name] => _directory[name];

    public static RuntimeUnderTest Called(string name)
    {
        Need.Root();
        if (name == Runc)
        {
            string? found = Need.Find("runc");
            Need.That(found is not null, "needs the program runc");
            return new RuntimeUnderTest(name, found!);
        }

        RuntimeUnderTest ours = new(name, "");
        ours.Path = ours[OciRuntime];
        File.CreateSymbolicLink(ours.Path, Oci.Binary);
        return ours;
    }

    /// <summary>An ID that nobody has.</summary>
    public string NewId() => $"t{_token}-{Interlocked.Increment(ref _count)}";

    public Bundle NewBundle(Action<JsonObject>? change = null)
    {
        string name = $"bundle-{Interlocked.Increment(ref _count)}";
        return Bundle.Create(_directory[name], $"{Cgroup.Path}/{name}", change);
    }

    /// <summary>Runs a verb that leaves no process behind.</summary>
    public Task<ProgramResult> RunAsync(params string[] words) => Shell.RunAsync(Path, ["--root", Root, .. words]);

    /// <summary>The same with something on standard input.</summary>
    public Task<ProgramResult> RunWithInputAsync(string input, params string[] words) =>
        Shell.RunAsync(Path, ["--root", Root, .. words], environment: null, input);

    /// <summary>Runs a verb that leaves a process behind, which writes to a file.</summary>
    /// <param name="output">The file for both streams.</param>
    public Task<ProgramResult> RunDetachedAsync(string output, params string[] words) => ThroughShellAsync(
        $"exec \"$@\" >>'{output}' 2>&1 </dev/null", words);

    /// <summary>Runs a script whose <c>$@</c> is the runtime with these words.</summary>
    public Task<ProgramResult> ThroughShellAsync(string script, params string[] words) =>
        Shell.RunAsync("sh", ["-c", script, "sh", Path, "--root", Root, .. words]);

    /// <summary>Calls <c>create</c> and says how it ended.</summary>
    public async Task<(Container Container, ProgramResult Result)> TryCreateAsync(Bundle bundle, string? id = null, params string[] options)
    {
        id ??= NewId();
        string output = _directory[$"{Guid.NewGuid():N}.out"];
        ProgramResult result = await RunDetachedAsync(output, ["create", "--bundle", bundle.Path, .. options, id]);
        return (new Container(this, id, bundle, output), result with { Error = await File.ReadAllTextAsync(output) });
    }

    public async Task<Container> CreateAsync(Bundle bundle, params string[] options)
    {
        (Container container, ProgramResult result) = await TryCreateAsync(bundle, id: null, options);
        result.Succeeded();
        return container;
    }

    public Task<Container> CreateAsync(Action<JsonObject>? change = null) => CreateAsync(NewBundle(change));

    public async Task<Container> StartedAsync(Action<JsonObject>? change = null)
    {
        Container container = await CreateAsync(change);
        (await container.StartAsync()).Succeeded();
        return container;
    }

    /// <summary>One that runs until it is killed.</summary>
    public Task<Container> SleepingAsync(Action<JsonObject>? change = null) => StartedAsync(config =>
    {
        config.Process["args"] = new JsonArray("sleep", "1000");
        change?.Invoke(config);
    });

    /// <summary>Runs a script in a new container in the foreground.</summary>
    public Task<ProgramResult> ScriptAsync(string script, Action<JsonObject>? change = null) => RunBundleAsync(NewBundle(config =>
    {
        config.Script(script);
        change?.Invoke(config);
    }));

    /// <summary>Runs the container of a bundle in the foreground.</summary>
    public Task<ProgramResult> RunBundleAsync(Bundle bundle) => RunAsync("run", "--bundle", bundle.Path, NewId());

    /// <summary>Fails unless <c>create</c> refuses the configuration and leaves nothing of it.</summary>
    /// <returns>What it said.</returns>
    public async Task<string> RefusesAsync(Action<JsonObject> change)
    {
        (Container container, ProgramResult result) = await TryCreateAsync(NewBundle(change));
        Assert.True(result.Status != 0, $"it was not refused: {result}");
        Assert.NotEqual(0, (await RunAsync("state", container.Id)).Status);
        Assert.Empty(Cgroup.Children);
        return result.Error;
    }

    public async ValueTask DisposeAsync()
    {
        ProgramResult list = await RunAsync("list", "-q");
        foreach (string id in list.Lines)
        {
            await RunAsync("delete", "--force", id);
        }

        string[] processes = await Processes.GoneAsync([_directory.Path], TimeSpan.FromSeconds(3));
        Processes.Kill(_directory.Path);
        string[] mounts = Mounts.Under(_directory.Path);
        foreach (string mount in mounts.Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        IReadOnlyList<string> groups = Cgroup.Children;
        Cgroup.Remove();
        _directory.Dispose();
        Assert.True(mounts.Length == 0, $"mounts left behind: {string.Join(", ", mounts)}");
        Assert.True(processes.Length == 0, $"processes left behind: {string.Join(", ", processes)}");
        Assert.True(groups.Count == 0, $"control groups left behind: {string.Join(", ", groups)}");
    }
}
