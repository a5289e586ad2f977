using Microsoft.Win32.SafeHandles;

namespace OciTool.Runtime.Lifecycle;

/// <summary>The descriptors that go to the init process with its plan, which names them by their place.</summary>
internal sealed class PlanDescriptors : IDisposable
{
    private readonly List<SafeFileHandle> _all = [];
    private readonly List<SafeFileHandle> _owned = [];

    /// <summary>All, in order.</summary>
    public IReadOnlyList<SafeFileHandle> All => _all;

    /// <summary>Adds one that stays the caller's.</summary>
    /// <returns>Its place.</returns>
    public int Add(SafeFileHandle file)
    {
        _all.Add(file);
        return _all.Count - 1;
    }

    /// <summary>Adds one that is closed with this object.</summary>
    /// <returns>Its place.</returns>
    public int AddOwned(SafeFileHandle file)
    {
        _owned.Add(file);
        return Add(file);
    }

    /// <summary>Adds some that are closed with this object.</summary>
    /// <returns>Their places.</returns>
    public IReadOnlyList<int> AddOwned(IReadOnlyList<SafeFileHandle> files)
    {
        int[] places = new int[files.Count];
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = AddOwned(files[i]);
        }

        return places;
    }

    /// <inheritdoc/>
    public void Dispose() => _owned.ForEach(file => file.Dispose());
}
