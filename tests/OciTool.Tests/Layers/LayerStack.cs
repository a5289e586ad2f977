using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Corpus;

namespace OciTool.Tests.Layers;

/// <summary>Applies the layers of a case as a store does, between two canaries: one beside the layers, one far away.</summary>
internal sealed class LayerStack : IDisposable
{
    private readonly string _store = Directory.CreateTempSubdirectory("oci-layers-").FullName;
    private readonly List<AppliedLayer> _applied = [];
    private readonly string _canaries;
    private readonly SnapshotForm _form;

    /// <summary>Makes the canaries.</summary>
    /// <param name="form">What to make of the layers.</param>
    public LayerStack(SnapshotForm form)
    {
        _form = form;
        Directory.CreateDirectory(LayerCorpus.Far);
        File.WriteAllText(Path.Join(LayerCorpus.Far, "victim"), "far");
        Directory.CreateDirectory(Near);
        File.WriteAllText(Path.Join(Near, "victim"), "near");
        _canaries = Canaries();
    }

    public List<string> Warnings { get; } = [];

    /// <summary>What the dearest layer cost.</summary>
    public TimeSpan CpuTime { get; private set; }

    /// <summary>The most bytes that a layer took from the heap.</summary>
    public long Allocated { get; private set; }

    private string Near => Path.Join(_store, "canary");

    /// <summary>Applies one more layer.</summary>
    /// <exception cref="LayerException">It is refused.</exception>
    public void Apply(OddBlob layer)
    {
        string place = PlaceOf(_applied.Count);
        Directory.CreateDirectory(place);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan start = ThreadTime();
        try
        {
            using MemoryStream content = new(layer.Blob);
            _applied.Add(LayerApplier.Apply(content, place, _form, Digest.Of(layer.Archive), new LayerLimits(), Warnings.Add));
        }
        finally
        {
            CpuTime = new[] { CpuTime, ThreadTime() - start }.Max();
            Allocated = Math.Max(Allocated, GC.GetAllocatedBytesForCurrentThread() - allocated);
        }
    }

    /// <summary>The tree that overlayfs makes of the layers' directories.</summary>
    public IReadOnlyDictionary<string, TreeEntry> Merged()
    {
        OverlayModel overlay = new();
        for (int i = 0; i < _applied.Count; i++)
        {
            overlay.Add(TreeReader.Read(Path.Join(PlaceOf(i), LayerApplier.NameOf(_form))), _applied[i].OpaqueRoot);
        }

        return overlay.Entries;
    }

    /// <summary>Whether nothing outside of the layers' directories has changed.</summary>
    public bool CanariesAreUntouched() => _canaries == Canaries();

    public void Dispose()
    {
        DirectoryTree.Remove(_store);
        DirectoryTree.Remove(LayerCorpus.Far);
    }

    private string PlaceOf(int layer) => Path.Join(_store, $"layer-{layer}");

    private string Canaries() => string.Join('\n',
        TreeReader.Read(LayerCorpus.Far).Concat(TreeReader.Read(Near)).Select(entry => $"{entry.Key} {entry.Value}")
            .Concat(Directory.EnumerateFileSystemEntries(_store).Where(path => !IsLayer(path))));

    private static bool IsLayer(string path) => Path.GetFileName(path).StartsWith("layer-", StringComparison.Ordinal);

    private static TimeSpan ThreadTime()
    {
        const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID
        long[] time = new long[2];
        _ = GetTime(ThreadClock, time);
        return TimeSpan.FromSeconds(time[0]) + TimeSpan.FromMicroseconds(time[1] / 1000.0);
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern int GetTime(int clock, long[] time);
}
