using System.Diagnostics;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A new directory that is gone when this is disposed.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("oci-systests-").FullName;

    /// <summary>A path inside.</summary>
    public string this[string name] => System.IO.Path.Join(Path, name);

    // not Directory.Delete: names that are not UTF-8 are beyond it
    public void Dispose()
    {
        using Process removal = Process.Start("rm", ["-rf", Path]);
        removal.WaitForExit();
    }
}
