using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The right to write one blob, which one process has at a time: who comes later finds the blob, and need not fetch it.</summary>
/// <remarks>
/// An flock on a file in <c>locks/</c>, which its holder deletes. A download may take hours, so waiting has no end as long
/// as bytes arrive; only where none do the patience for locks counts.
/// </remarks>
internal sealed class BlobReservation : IDisposable
{
    private readonly FileLock _held;
    private readonly string _path;

    private BlobReservation(FileLock held, string path) => (_held, _path) = (held, path);

    /// <summary>Waits until nobody else writes a blob.</summary>
    /// <param name="root">The store.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="tell">Told once when the wait is longer than a moment.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">Whoever has it makes no progress, and the patience is over.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "the reservation owns the lock")]
    internal static async Task<BlobReservation> AcquireAsync(
        StorageRoot root, Descriptor blob, Action<string> tell, CancellationToken cancellationToken)
    {
        string path = Path.Join(root.Locks, $"{blob.Digest.Algorithm}-{blob.Digest.Hex}");
        return new BlobReservation(await WaitAsync(root, blob, path, tell, cancellationToken), path);
    }

    private static async Task<FileLock> WaitAsync(
        StorageRoot root, Descriptor blob, string path, Action<string> tell, CancellationToken cancellationToken)
    {
        string partial = root.PartialOf(blob.Digest);
        long start = Stopwatch.GetTimestamp();
        long moved = start;
        long length = -1;
        bool told = false;
        FileLock? held;
        for (int delay = 2; !FileLock.TryAcquire(path, out held); delay = Math.Min(delay * 2, 100))
        {
            FileInfo file = new(partial);
            if ((file.Exists ? file.Length : 0) is { } now && now != length)
            {
                (length, moved) = (now, Stopwatch.GetTimestamp());
            }

            if (root.Patience.IsOver(Stopwatch.GetElapsedTime(moved)))
            {
                throw StorageRoot.LockTimeout(
                    new LockTimeoutException(root.Patience.Timeout!.Value, $"blob {blob.Digest}{Holder(path)}, of which no more bytes arrived"));
            }

            if (!told && Stopwatch.GetElapsedTime(start) >= LockPatience.Quiet)
            {
                told = true;
                tell($"waiting for blob {blob.Digest.Algorithm}:{blob.Digest.Short}…{Holder(path)}");
            }

            await Task.Delay(delay, cancellationToken);
        }

        return held;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Delete(_path); // whoever waits for it notices, and makes a new one
        _held.Dispose();
    }

    /// <summary>Deletes the files of holders that were killed.</summary>
    internal static void Sweep(StorageRoot root)
    {
        foreach (string path in Directory.EnumerateFiles(root.Locks))
        {
            if (FileLock.TryAcquire(path, out FileLock? free))
            {
                File.Delete(path);
                free.Dispose();
            }
        }
    }

    private static string Holder(string path) =>
        LockHolders.Find(path) is { } pid ? string.Create(CultureInfo.InvariantCulture, $", which process {pid} is writing") : "";
}
