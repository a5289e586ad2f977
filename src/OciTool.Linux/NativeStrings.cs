using System.Runtime.InteropServices;
using System.Text;

namespace OciTool.Linux;

/// <summary>An <c>argv</c> or <c>envp</c>: pointers to strings, ended by a null pointer.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly byte** _pointers;

    internal NativeStrings(ReadOnlySpan<string> strings)
    {
        int bytes = (strings.Length + 1) * sizeof(byte*);
        foreach (string text in strings)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException("text for a system call holds a NUL character", nameof(strings));
            }

            bytes += Encoding.UTF8.GetByteCount(text) + 1;
        }

        _pointers = (byte**)NativeMemory.AllocZeroed((nuint)bytes);
        byte* next = (byte*)(_pointers + strings.Length + 1);
        byte* end = (byte*)_pointers + bytes;
        for (int i = 0; i < strings.Length; i++)
        {
            _pointers[i] = next;
            next += Encoding.UTF8.GetBytes(strings[i], new Span<byte>(next, (int)(end - next))) + 1;
        }
    }

    internal byte** Pointer => _pointers;

    public void Dispose() => NativeMemory.Free(_pointers);
}
