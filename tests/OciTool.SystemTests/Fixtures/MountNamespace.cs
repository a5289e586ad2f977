using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>A thread with mounts of its own: nobody else sees them, and they are gone with it.</summary>
internal sealed class MountNamespace
{
    private const int CLONE_FS = 0x200;
    private const int CLONE_NEWNS = 0x20000;
    private const nuint MS_RDONLY = 1;
    private const nuint MS_REC = 0x4000;
    private const nuint MS_PRIVATE = 0x40000;
    private const int ENOTBLK = 15;

    private MountNamespace()
    {
    }

    /// <summary>Does something on such a thread.</summary>
    public static Task RunAsync(Action<MountNamespace> work) => Task.Factory.StartNew(
        () =>
        {
            Demand(Unshare(CLONE_FS | CLONE_NEWNS), "unshare");
            Demand(MountAt("none", "/", null, MS_REC | MS_PRIVATE, null), "make mounts private");
            work(new MountNamespace());
        },
        TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Mounts something, read-only.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "only who is on such a thread may mount")]
    public void Mount(string type, string source, string target, string? options)
    {
        Directory.CreateDirectory(target);
        int result = MountAt(source, target, type, MS_RDONLY, options);
        if (result != 0 && Marshal.GetLastPInvokeError() == ENOTBLK)
        {
            // this kernel wants a block device; a program that this thread starts has its mounts
            Shell.RunAsync("mount", "-o", "loop,ro", "-t", type, source, target).GetAwaiter().GetResult().Succeeded();
            return;
        }

        Demand(result, $"mount {source} {options} at {target}");
    }

    private static void Demand(int result, string what) => Assert.True(
        result == 0, string.Create(CultureInfo.InvariantCulture, $"{what}: errno {Marshal.GetLastPInvokeError()}"));

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern int Unshare(int flags);

    [DllImport("libc", EntryPoint = "mount", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern int MountAt(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string source, [MarshalAs(UnmanagedType.LPUTF8Str)] string target,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string? type, nuint flags, [MarshalAs(UnmanagedType.LPUTF8Str)] string? options);
}
