using System.Globalization;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Runtime;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Seccomp;

namespace OciTool.Cli.Commands;

/// <summary>Reads what <c>info</c> says of the machine, from the kernel's own files.</summary>
internal static class HostFacts
{
    /// <summary>Reads the facts now.</summary>
    public static HostInformation Read()
    {
        Dictionary<string, long> memory = ReadMemory();
        CgroupMounts cgroups = CgroupMounts.Read();
        return new HostInformation
        {
            Arch = Platform.Host.Architecture,
            Variant = Platform.Host.Variant ?? "",
            CgroupsVersion = cgroups.IsUnified ? "v2" : "v1",
            CgroupControllers = [.. ReadControllers(cgroups)],
            Cpus = Environment.ProcessorCount,
            Distribution = ReadDistribution(),
            Hostname = Environment.MachineName,
            Kernel = ReadLine("/proc/sys/kernel/osrelease"),
            MemFree = memory.GetValueOrDefault("MemFree"),
            MemTotal = memory.GetValueOrDefault("MemTotal"),
            SwapFree = memory.GetValueOrDefault("SwapFree"),
            SwapTotal = memory.GetValueOrDefault("SwapTotal"),
            OCIRuntime = new RuntimeDescription { Path = Environment.ProcessPath ?? "", Version = Program.Version },
            Security = new SecurityInformation
            {
                AppArmorEnabled = ReadLine("/sys/module/apparmor/parameters/enabled") == "Y",
                DefaultCapabilities = string.Join(',', ContainerCapabilities.Default),
                Rootless = !Environment.IsPrivilegedProcess,
                SECCOMPEnabled = File.Exists("/proc/sys/kernel/seccomp/actions_avail"),
                SECCOMPProfilePath = Array.Find(SeccompProfile.InstalledPaths, File.Exists) ?? "",
                SELinuxEnabled = ReadLine("/sys/fs/selinux/enforce").Length > 0,
            },
            Uptime = ReadUptime(),
        };
    }

    private static IEnumerable<string> ReadControllers(CgroupMounts cgroups) => cgroups.IsUnified
        ? ReadLine(Path.Join(cgroups.V2!, "cgroup.controllers")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
        : cgroups.V1.Keys.Where(name => !name.StartsWith("name=", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static Dictionary<string, long> ReadMemory()
    {
        Dictionary<string, long> memory = [];
        foreach (string line in File.ReadLines("/proc/meminfo"))
        {
            string[] words = line.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && long.TryParse(words[1], out long kibibytes))
            {
                memory[words[0]] = kibibytes * 1024;
            }
        }

        return memory;
    }

    private static DistributionInformation ReadDistribution()
    {
        Dictionary<string, string> facts = [];
        foreach (string line in File.Exists("/etc/os-release") ? File.ReadLines("/etc/os-release") : [])
        {
            int at = line.IndexOf('=', StringComparison.Ordinal);
            if (at > 0)
            {
                facts[line[..at]] = line[(at + 1)..].Trim('"', '\'');
            }
        }

        return new DistributionInformation
        {
            Distribution = facts.GetValueOrDefault("ID", "unknown"),
            Version = facts.GetValueOrDefault("VERSION_ID", "unknown"),
            Codename = facts.GetValueOrDefault("VERSION_CODENAME"),
            Variant = facts.GetValueOrDefault("VARIANT_ID"),
        };
    }

    private static string ReadUptime()
    {
        double seconds = double.Parse(ReadLine("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        TimeSpan uptime = TimeSpan.FromSeconds(seconds);
        return $"{(int)uptime.TotalHours}h {uptime.Minutes}m {uptime.Seconds + (uptime.Milliseconds / 1000.0):0.00}s";
    }

    private static string ReadLine(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault() ?? "";
        }
        catch (IOException)
        {
            return "";
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
