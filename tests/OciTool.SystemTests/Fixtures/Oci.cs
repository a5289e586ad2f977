using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The published binary with a store of its own; disposing checks that it left nothing behind.</summary>
public sealed class Oci : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("oci-systests-").FullName;
    private readonly List<string> _markers = [];

    public Oci()
    {
        Need.Root();
        Assert.True(File.Exists(Binary), $"no binary at {Binary}: publish src/OciTool.Cli or set OCI_BINARY");
        Directory.CreateDirectory(Path.Join(_home, "home"));
    }

    public static string Binary { get; } =
        Environment.GetEnvironmentVariable("OCI_BINARY") is { Length: > 0 } chosen ? chosen : Published();

    /// <summary>The store.</summary>
    public string Root => Path.Join(_home, "root");

    /// <summary>A path for the test's own files, deleted with the store.</summary>
    public string this[string name] => Path.Join(_home, name);

    /// <summary>A text that no other process has in its command line, to find a container's process by.</summary>
    public string Marker()
    {
        string marker = $"marker-{Guid.NewGuid():N}";
        _markers.Add(marker);
        return marker;
    }

    /// <summary>The arguments that select this store.</summary>
    public string[] Arguments(params string[] arguments) =>
        ["--root", Root, "--runroot", Path.Join(_home, "runroot"), .. arguments];

    /// <summary>The environment in which nobody is logged in anywhere.</summary>
    public Dictionary<string, string?> CleanEnvironment(params (string Name, string? Value)[] more)
    {
        Dictionary<string, string?> environment = new()
        {
            ["HOME"] = Path.Join(_home, "home"),
            ["XDG_RUNTIME_DIR"] = null,
            ["XDG_CONFIG_HOME"] = null,
            ["DOCKER_CONFIG"] = null,
            ["REGISTRY_AUTH_FILE"] = null,
            ["NO_COLOR"] = null,
            ["SSL_CERT_FILE"] = null,
            ["SSL_CERT_DIR"] = null,
            ["HTTP_PROXY"] = null,
            ["HTTPS_PROXY"] = null,
        };
        foreach ((string name, string? value) in more)
        {
            environment[name] = value;
        }

        return environment;
    }

    public Task<ProgramResult> RunAsync(params string[] arguments) => RunAsync([], input: null, arguments);

    public Task<ProgramResult> RunAsync(
        (string Name, string? Value)[] environment, string? input, params string[] arguments) =>
        Shell.RunAsync(Binary, Arguments(arguments), CleanEnvironment(environment), input);

    public RunningProgram Start(params string[] arguments) =>
        RunningProgram.Start(Binary, Arguments(arguments), CleanEnvironment());

    /// <summary>Pulls an image and returns its name, for the tests that are about what comes after.</summary>
    public async Task<string> PullAsync(string image, params string[] options)
    {
        (await RunAsync(["pull", "-q", .. options, image])).Succeeded();
        return image;
    }

    /// <summary>Every blob of the store has the content that its name promises.</summary>
    public async Task BlobsAreWholeAsync()
    {
        string blobs = Path.Join(Root, "blobs/sha256");
        foreach (string blob in Directory.Exists(blobs) ? Directory.GetFiles(blobs) : [])
        {
            await using FileStream content = File.OpenRead(blob);
            byte[] hash = await SHA256.HashDataAsync(content, TestContext.Current.CancellationToken);
            Assert.Equal(Path.GetFileName(blob), Convert.ToHexStringLower(hash));
        }
    }

    public async ValueTask DisposeAsync()
    {
        string[] mounts = Mounts.Under(_home);
        string[] processes = await Processes.GoneAsync([_home, .. _markers], TimeSpan.FromSeconds(5));
        if (processes.Length > 0)
        {
            Processes.Kill([_home, .. _markers]);
        }

        foreach (string mount in mounts.Reverse())
        {
            await Shell.RunAsync("umount", "-l", mount);
        }

        await Shell.RunAsync("rm", "-rf", "--one-file-system", _home);
        Assert.True(mounts.Length == 0, $"mounts left behind: {string.Join(", ", mounts)}");
        Assert.True(processes.Length == 0, $"processes left behind: {string.Join(", ", processes)}");
    }

    private static string Published([CallerFilePath] string here = "") => Path.GetFullPath(
        Path.Join(Path.GetDirectoryName(here), "../../../artifacts/publish/OciTool.Cli/release_linux-x64/oci"));
}
