using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>syncfs(2), once for all who ask while one is under way.</summary>
internal sealed class SharedSync(string path)
{
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Task? _next;
    private volatile bool _failed;

    /// <summary>Whether one has failed: then nobody knows what is on the disk of all that was written before it.</summary>
    internal bool HasFailed => _failed;

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

        await Task.Run(() =>
        {
            try
            {
                DirectoryTree.SyncFileSystem(path);
            }
            catch
            {
                _failed = true; // before anybody hears of it
                throw;
            }
        });
    }
}
