using OciTool.Runtime.Cgroups;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>Tidies up after containers whose runner was killed: the kernel has killed them, but nobody has removed their remains.</summary>
internal static class KilledContainers
{
    /// <summary>Writes down how they ended, removes those that were not to be kept, and their control groups.</summary>
    /// <param name="containers">The containers.</param>
    public static void Settle(ContainerStore containers)
    {
        foreach (string id in containers.SettleKilled())
        {
            Cgroup.DeleteRemains(id);
        }
    }
}
