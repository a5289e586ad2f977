using System.Globalization;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>Writes limits into a container's groups, in an order in which the kernel takes them.</summary>
/// <param name="directories">The groups.</param>
/// <param name="files">The files in them.</param>
/// <param name="warnings">Takes what cannot be set; null makes it an error.</param>
internal sealed partial class CgroupLimits(
    IReadOnlyList<CgroupDirectory> directories, IKernelFiles files, List<string>? warnings = null)
{
    private const string MissingFromV2 = "cgroup v2 does not have it";

    /// <summary>Why controllers are not in the group, to be said when one is missing.</summary>
    internal string? ControllerFailure { get; init; }

    private bool IsUnified => directories.Count == 1 && directories[0].IsUnified;

    /// <summary>Sets all limits but the device rules.</summary>
    /// <exception cref="OciException">The kernel refuses one.</exception>
    internal void Apply(ResourcesSpec resources)
    {
        if (IsUnified)
        {
            ApplyV2(resources);
            return;
        }

        ApplyV1(resources);
        if (resources.Unified is { Count: > 0 })
        {
            Fail("the unified resources", "unified", "the host has cgroup v1", Errno.None);
        }
    }

    /// <summary>The directory with a controller; null where there is none.</summary>
    internal string? DirectoryOf(string controller)
    {
        foreach (CgroupDirectory directory in directories)
        {
            if (directory.Has(controller) || (directory.IsUnified && directories.Count == 1))
            {
                return directory.Path;
            }
        }

        return null;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private Errno TrySet(string controller, string file, string value) =>
        DirectoryOf(controller) is { } directory ? files.Write($"{directory}/{file}", value) : Errno.ENOENT;

    private void Set(string controller, string file, string value, string what)
    {
        Errno error = TrySet(controller, file, value);
        if (error != Errno.None)
        {
            Refuse(controller, file, value, what, error);
        }
    }

    private void Refuse(string controller, string file, string value, string what, Errno error)
    {
        string? directory = DirectoryOf(controller);
        string cause = directory is null ? $"the host has no writable {controller} controller"
            : error == Errno.ENOENT ? $"'{directory}' has no {file}{(ControllerFailure is null ? "" : $" ({ControllerFailure})")}"
            : $"write '{Printable.Shorten(value)}' to '{directory}/{file}': {ErrnoException.Describe(error)}";
        Fail(what, controller, cause, error);
    }

    private void Fail(string what, string controller, string cause, Errno error)
    {
        if (warnings is null)
        {
            throw new OciException($"cannot set {what}: {cause}");
        }

        warnings.Add(error is Errno.ENOENT or Errno.EACCES or Errno.EPERM or Errno.EROFS
            ? $"{what} is not in force: no writable {controller} controller"
            : $"{what} is not in force: {cause}");
    }

    private bool TryReadNumber(string controller, string file, out ulong number)
    {
        number = 0;
        return DirectoryOf(controller) is { } directory
            && files.Read($"{directory}/{file}", out string text) == Errno.None
            && ulong.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private void SetPids(ResourcesSpec resources)
    {
        if (resources.Pids is not { } pids)
        {
            return;
        }

        if (pids.Limit > 0)
        {
            Set("pids", "pids.max", Text(pids.Limit), $"the limit of {pids.Limit} processes");
        }
        else if (TrySet("pids", "pids.max", "max") is var error and not (Errno.None or Errno.ENOENT))
        {
            Refuse("pids", "pids.max", "max", "the limit of processes", error);
        }
    }

    private void SetCpusets(ResourcesSpec resources)
    {
        if (resources.Cpu is { Cpus.Length: > 0 } withCpus)
        {
            Set("cpuset", "cpuset.cpus", withCpus.Cpus, "the processors");
        }

        if (resources.Cpu is { Mems.Length: > 0 } withMems)
        {
            Set("cpuset", "cpuset.mems", withMems.Mems, "the memory nodes");
        }
    }

    private void SetHugepages(ResourcesSpec resources, string suffix)
    {
        foreach (HugepageLimit limit in resources.HugepageLimits ?? [])
        {
            string what = $"the limit of {Printable.Shorten(limit.PageSize)} pages";
            if (!IsName(limit.PageSize))
            {
                throw new OciException($"cannot set {what}: not a page size");
            }

            Set("hugetlb", $"hugetlb.{limit.PageSize}.{suffix}", Text(limit.Limit), what);

            // reservations are counted by themselves since Linux 5.7
            Errno error = TrySet("hugetlb", $"hugetlb.{limit.PageSize}.rsvd.{suffix}", Text(limit.Limit));
            if (error is not (Errno.None or Errno.ENOENT))
            {
                Refuse("hugetlb", $"hugetlb.{limit.PageSize}.rsvd.{suffix}", Text(limit.Limit), what, error);
            }
        }
    }

    private void SetRdma(ResourcesSpec resources)
    {
        if (resources.Rdma is null)
        {
            return;
        }

        foreach ((string device, RdmaLimit limit) in resources.Rdma)
        {
            string handles = limit.HcaHandles is { } count ? $" hca_handle={count}" : "";
            string objects = limit.HcaObjects is { } many ? $" hca_object={many}" : "";
            Set("rdma", "rdma.max", $"{device}{handles}{objects}", $"the limits of RDMA device {Printable.Shorten(device)}");
        }
    }

    private static bool IsName(string text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c))
            {
                return false;
            }
        }

        return text.Length > 0;
    }
}
