using System.Globalization;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A mount namespace of its own: what is mounted there is gone with it.</summary>
internal sealed class MountNamespace : IDisposable
{
    private readonly RunningProgram _holder;

    private MountNamespace(RunningProgram holder) => _holder = holder;

    /// <summary>The path by which everybody sees what a path is there.</summary>
    public string this[string path] => string.Create(CultureInfo.InvariantCulture, $"/proc/{_holder.Id}/root{path}");

    /// <summary>Makes one.</summary>
    /// <param name="script">A file of shell commands that mount; the first that fails fails all.</param>
    public static async Task<MountNamespace> StartAsync(string script)
    {
        MountNamespace made = new(RunningProgram.Start(
            "unshare", ["--mount", "--propagation", "private", "sh", "-c", "set -e; . \"$0\"; echo mounted; exec cat", script]));
        await made._holder.OutputHasAsync("mounted\n");
        return made;
    }

    public void Dispose() => _holder.Dispose();
}
