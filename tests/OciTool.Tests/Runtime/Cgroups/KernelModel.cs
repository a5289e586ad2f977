using OciTool.Linux;
using OciTool.Runtime.Cgroups;

namespace OciTool.Tests.Runtime.Cgroups;

/// <summary>The files of groups in memory: they take every value, unless a rule refuses it.</summary>
internal sealed class KernelModel : IKernelFiles
{
    internal const string V1 = "/v1";
    internal const string V2 = "/v2";

    private static readonly string[] Controllers =
        ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "net_cls", "net_prio", "rdma", "devices", "freezer"];

    internal static IReadOnlyList<CgroupDirectory> DirectoriesV1 { get; } =
        [.. Controllers.Select(controller => new CgroupDirectory($"{V1}/{controller}", [controller]))];

    internal static IReadOnlyList<CgroupDirectory> DirectoriesV2 { get; } = [new(V2, [])];

    /// <summary>The files that there are; null for every one that is asked for.</summary>
    internal Dictionary<string, string>? Files { get; init; }

    /// <summary>What was written, as <c>FILE=VALUE</c>, also what was refused.</summary>
    internal List<string> Writes { get; } = [];

    /// <summary>What a file says about a value.</summary>
    internal Func<string, string, Errno> Rule { get; init; } = (_, _) => Errno.None;

    /// <summary>What a file shows when -1 was written into it.</summary>
    internal string Unlimited { get; init; } = "-1";

    public Errno Write(string path, string value)
    {
        Writes.Add($"{Path.GetFileName(path)}={value}");
        if (Files is not null && !Files.ContainsKey(Path.GetFileName(path)))
        {
            return Errno.ENOENT;
        }

        Errno error = Rule(Path.GetFileName(path), value);
        if (error == Errno.None && Files is not null)
        {
            Files[Path.GetFileName(path)] = value == "-1" ? Unlimited : value;
        }

        return error;
    }

    public Errno Read(string path, out string text)
    {
        text = Files?.GetValueOrDefault(Path.GetFileName(path)) ?? "";
        return Files is not null && Files.ContainsKey(Path.GetFileName(path)) ? Errno.None : Errno.ENOENT;
    }

    internal long Number(string file) => long.Parse(Files![file]);

    internal static CgroupLimits LimitsV1(KernelModel kernel, List<string>? warnings = null) => new(DirectoriesV1, kernel, warnings);

    internal static CgroupLimits LimitsV2(KernelModel kernel, List<string>? warnings = null) => new(DirectoriesV2, kernel, warnings);
}
