using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>syncfs(2), once for all who ask while one is under way.</summary>
internal sealed class SharedSync(string path)
{
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Task? _next;

    /// <summary>Waits for a syncfs that began after this call.</summary>
    internal Task RunAsync()
    {
        lock (_gate)
        {
            return _next ??= StartAfterAsync(_running);
        }
    }

    private async Task StartAfterAsync(Task previous)
    {
        // whether the one before failed is told to those who waited for it
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        lock (_gate)
        {
            _running = _next!;
            _next = null;
        }

        await Task.Run(() => DirectoryTree.SyncFileSystem(path));
    }
}
