using System.Runtime.InteropServices;

namespace OciTool.Linux;

/// <summary>What a child does between clone(2) and execve(2): a list of system calls.</summary>
/// <remarks>
/// A child of a process with threads must not run managed code: a garbage collection that was under way when it was made
/// would stop it for ever. So each call is a context of makecontext(3) that runs <c>syscall(2)</c> of the C library, and
/// each leads to the next; the child starts with setcontext(3) and meets nothing else.
/// docs/adr/0001-the-launcher.md.
/// </remarks>
internal sealed unsafe class ChildCalls : IDisposable
{
    internal const int CLONE_VM = 0x100;
    internal const int CLONE_VFORK = 0x4000;
    internal const int CLONE_PARENT = 0x8000;

    private const int StackSize = 8192; // nothing but syscall(2) and its return runs there
    private const int Room = Interop.Libc.ContextSize + StackSize;

    private static readonly nint Library = NativeLibrary.GetMainProgramHandle();
    private static readonly nint SystemCall = NativeLibrary.GetExport(Library, "syscall");
    private static readonly nint SetContext = NativeLibrary.GetExport(Library, "setcontext");

    private readonly List<(nint Number, nint A, nint B, nint C, nint D, nint E)> _calls = [];
    private byte* _memory;

    /// <summary>Adds a call. A failure does not end the list: what must have succeeded is checked by whoever comes after.</summary>
    internal void Add(nint number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0) =>
        _calls.Add((number, a, b, c, d, e));

    /// <summary>Makes the child.</summary>
    /// <param name="flags"><c>CLONE_*</c>. With <see cref="CLONE_VM"/>, <see cref="CLONE_VFORK"/> has to be among them.</param>
    /// <param name="blocksSignals">
    /// Whether all signals are blocked in it, and in what it executes; else none is. No call of the list can change that:
    /// setcontext(3) sets the mask too. With <see cref="CLONE_VM"/> they have to be, for a handler would run in the memory of both.
    /// </param>
    /// <returns>Its process ID. When its last call returns, it exits.</returns>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    internal int Start(int flags, bool blocksSignals)
    {
        ulong all = ulong.MaxValue;
        ulong mask = blocksSignals ? all : 0;
        ulong before;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)((_calls.Count + 2) * Room), 4096);
        Interop.Kernel.Call(Interop.Kernel.SYS_rt_sigprocmask, Interop.Kernel.SIG_SETMASK, (nint)(&mask), (nint)(&before), 8);
        try
        {
            Add(Interop.Kernel.SYS_exit_group, 127);
            Interop.Libc.Context* next = null;
            for (int i = _calls.Count - 1; i >= 0; i--)
            {
                Interop.Libc.Context* context = (Interop.Libc.Context*)(_memory + (i * Room));
                _ = Interop.Libc.GetContext(context);
                context->Next = next;
                context->Stack = (byte*)context + Interop.Libc.ContextSize;
                context->StackSize = StackSize;
                (nint number, nint a, nint b, nint c, nint d, nint e) = _calls[i];
                Interop.Libc.MakeContext(context, SystemCall, 6, number, a, b, c, d, e);
                next = context;
            }

            Interop.Kernel.Call(Interop.Kernel.SYS_rt_sigprocmask, Interop.Kernel.SIG_SETMASK, (nint)(&all), 0, 8);
            int id = Interop.Libc.Clone(
                SetContext, _memory + ((_calls.Count + 1) * Room), flags | Signals.Child, next, 0, 0, 0);
            return (int)Interop.Kernel.Checked(id, "clone");
        }
        finally
        {
            Interop.Kernel.Call(Interop.Kernel.SYS_rt_sigprocmask, Interop.Kernel.SIG_SETMASK, (nint)(&before), 0, 8);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
