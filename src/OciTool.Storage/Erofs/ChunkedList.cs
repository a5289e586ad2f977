namespace OciTool.Storage.Erofs;

/// <summary>A list that grows by pieces, so that a million items never exist twice while an array is doubled.</summary>
/// <typeparam name="T">Items that are changed in place.</typeparam>
internal sealed class ChunkedList<T>
    where T : struct
{
    private const int ChunkBits = 13;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly List<T[]> _chunks = [];

    /// <summary>How many items there are.</summary>
    public int Count { get; private set; }

    /// <summary>An item, to read or to change.</summary>
    public ref T this[int index] => ref _chunks[index >> ChunkBits][index & (ChunkSize - 1)];

    /// <summary>Adds an item.</summary>
    /// <returns>Its index.</returns>
    public int Add(in T item)
    {
        if (Count == _chunks.Count << ChunkBits)
        {
            _chunks.Add(new T[ChunkSize]);
        }

        int index = Count++;
        this[index] = item;
        return index;
    }
}
