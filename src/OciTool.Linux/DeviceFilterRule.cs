namespace OciTool.Linux;

/// <summary>Allows or denies the use of devices.</summary>
/// <param name="Allow">Whether it allows.</param>
/// <param name="Type"><c>b</c>, <c>c</c> or <c>a</c> for both.</param>
/// <param name="Major">The major number; null for all.</param>
/// <param name="Minor">The minor number; null for all.</param>
/// <param name="Access">What it is about.</param>
public readonly record struct DeviceFilterRule(bool Allow, char Type, long? Major, long? Minor, DeviceAccess Access);

/// <summary>What is done with a device; the numbers are the kernel's (<c>BPF_DEVCG_ACC_*</c>).</summary>
[Flags]
public enum DeviceAccess
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Making its node.</summary>
    MakeNode = 1,

    /// <summary>Opening it for reading.</summary>
    Read = 2,

    /// <summary>Opening it for writing.</summary>
    Write = 4,

    /// <summary>All of that.</summary>
    All = 7,
}
