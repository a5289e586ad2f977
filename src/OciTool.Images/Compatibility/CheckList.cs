namespace OciTool.Images.Compatibility;

/// <summary>The checks, in the order of their IDs.</summary>
internal static class CheckList
{
    /// <summary>Whether an image would start on a host.</summary>
    public static readonly IReadOnlyList<Func<ImageFacts, HostFacts, CheckResult>> Compatibility =
    [
        PlatformChecks.Architecture,
        PlatformChecks.Variant,
        PlatformChecks.Label,
        PlatformChecks.Emulation,
        PlatformChecks.ProcessorLevel,
        ProgramChecks.Interpreter,
        ProgramChecks.Command,
        ProgramChecks.Libraries,
        KernelChecks.OldestKernel,
        KernelChecks.CLibrary,
        KernelChecks.SystemCalls,
        KernelChecks.PageSize,
        PlatformChecks.Width,
        KernelChecks.WideTime,
        KernelChecks.Systemd,
        HostChecks.Users,
        HostChecks.FileSystem,
        HostChecks.Namespaces,
    ];

    /// <summary>Whether somebody supports the pairing: by image, host and day.</summary>
    public static readonly IReadOnlyList<Func<ImageFacts, HostFacts, DateTimeOffset, CheckResult>> Supportability =
    [
        SupportChecks.EndOfLife,
        VendorMatrix.Pairing,
    ];
}
