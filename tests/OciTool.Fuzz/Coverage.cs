using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace OciTool.Fuzz;

/// <summary>Which branches of the instrumented code a run took, and how often: a byte a branch, as AFL has it.</summary>
internal sealed class Coverage
{
    private const int Size = 1 << 16;

    private static readonly byte[] Zeros = new byte[Size];

    private readonly nint _counters = Marshal.AllocHGlobal(Size); // for as long as the process lives: code writes there
    private readonly byte[] _taken = new byte[Size];
    private readonly byte[] _seen = new byte[Size];

    public Coverage()
    {
        Clear();
        typeof(Trace).GetField(nameof(Trace.SharedMem), BindingFlags.Public | BindingFlags.Static)!.SetValue(null, _counters);
    }

    /// <summary>How many branches were ever taken.</summary>
    public int Branches => _seen.Count(counts => counts != 0);

    /// <summary>Before a run.</summary>
    public void Clear()
    {
        Marshal.Copy(Zeros, 0, _counters, Size);
        Trace.PrevLocation = 0;
    }

    /// <summary>After a run: whether it took a branch that none took before, or one by an order of magnitude more often.</summary>
    public bool IsNew()
    {
        Marshal.Copy(_counters, _taken, 0, Size);
        bool isNew = false;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(_taken);
        for (int word = 0; word < words.Length; word++)
        {
            for (int i = word * 8; words[word] != 0 && i < (word * 8) + 8; i++)
            {
                int bucket = _taken[i] == 0 ? 0 : 1 << BitOperations.Log2(_taken[i]);
                isNew |= (bucket & ~_seen[i]) != 0;
                _seen[i] |= (byte)bucket;
            }
        }

        return isNew;
    }
}
