namespace OciTool.Storage.Layers;

/// <summary>The path of an entry below the layer's root: components between slashes, then a NUL for the kernel.</summary>
/// <remarks>
/// Made from a name of an archive by words alone: <c>.</c>, empty components and a leading slash go, <c>..</c> takes the
/// component before it away, and above the root there is nothing. One object serves all entries.
/// </remarks>
internal sealed class EntryPath
{
    private byte[] _bytes = new byte[256];
    private int _lastStart;

    /// <summary>The length in bytes, without the NUL; 0 for the root.</summary>
    public int Length { get; private set; }

    /// <summary>The number of components.</summary>
    public int Depth { get; private set; }

    /// <summary>Whether it is the layer's root.</summary>
    public bool IsRoot => Length == 0;

    /// <summary>The whole path, without NUL.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>The whole path, ending with NUL.</summary>
    public ReadOnlySpan<byte> Terminated => _bytes.AsSpan(0, Length + 1);

    /// <summary>The path of the directory, without NUL; empty for the root.</summary>
    public ReadOnlySpan<byte> Parent => _bytes.AsSpan(0, Math.Max(_lastStart - 1, 0));

    /// <summary>The last component, ending with NUL.</summary>
    public ReadOnlySpan<byte> Name => _bytes.AsSpan(_lastStart, Length + 1 - _lastStart);

    /// <summary>Takes the name of an entry.</summary>
    /// <param name="name">Any bytes but NUL.</param>
    public void Set(ReadOnlySpan<byte> name)
    {
        if (_bytes.Length < name.Length + 2)
        {
            _bytes = new byte[(name.Length * 2) + 2];
        }

        Length = 0;
        Depth = 0;
        while (!name.IsEmpty)
        {
            int end = name.IndexOf((byte)'/');
            ReadOnlySpan<byte> component = end < 0 ? name : name[..end];
            name = end < 0 ? [] : name[(end + 1)..];
            if (component.SequenceEqual(".."u8))
            {
                Length = Math.Max(Bytes.LastIndexOf((byte)'/'), 0);
                Depth = Math.Max(Depth - 1, 0);
            }
            else if (!component.IsEmpty && !component.SequenceEqual("."u8))
            {
                if (Length > 0)
                {
                    _bytes[Length++] = (byte)'/';
                }

                component.CopyTo(_bytes.AsSpan(Length));
                Length += component.Length;
                Depth++;
            }
        }

        _bytes[Length] = 0;
        _lastStart = Bytes.LastIndexOf((byte)'/') + 1;
    }
}
