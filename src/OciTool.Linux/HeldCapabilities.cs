namespace OciTool.Linux;

/// <summary>The capabilities that this process has to give away.</summary>
public static class HeldCapabilities
{
    /// <summary>The permitted set: bit n is the capability with number n (linux/capability.h).</summary>
    /// <exception cref="ErrnoException">The kernel does not say.</exception>
    public static ulong Read() => Interop.Libc.PermittedCapabilities();
}
