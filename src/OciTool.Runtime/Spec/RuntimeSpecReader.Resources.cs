namespace OciTool.Runtime.Spec;

public static partial class RuntimeSpecReader
{
    private static ResourcesSpec Resources(SpecNode node) => new()
    {
        Devices = node.Objects("devices", DeviceRule),
        Memory = node.OptionalObject("memory", Memory),
        Cpu = node.OptionalObject("cpu", Cpu),
        Pids = node.OptionalObject("pids", static pids => new PidsResource(pids.Number<long>("limit"))),
        BlockIO = node.OptionalObject("blockIO", BlockIO),
        HugepageLimits = node.Objects(
            "hugepageLimits", static limit => new HugepageLimit(limit.Text("pageSize"), limit.Number<ulong>("limit"))),
        Network = node.OptionalObject("network", Network),
        Rdma = node.ObjectMap("rdma", Rdma),
        Unified = node.TextMap("unified"),
    };

    private static DeviceRule DeviceRule(SpecNode node) => new(node.Boolean("allow"))
    {
        Type = node.OptionalText("type"),
        Major = node.OptionalNumber<long>("major"),
        Minor = node.OptionalNumber<long>("minor"),
        Access = node.OptionalText("access"),
    };

    private static MemoryResource Memory(SpecNode node) => new()
    {
        Limit = node.OptionalNumber<long>("limit"),
        Reservation = node.OptionalNumber<long>("reservation"),
        Swap = node.OptionalNumber<long>("swap"),
        Kernel = node.OptionalNumber<long>("kernel"),
        KernelTcp = node.OptionalNumber<long>("kernelTCP"),
        Swappiness = node.OptionalNumber<ulong>("swappiness"),
        DisableOomKiller = node.OptionalBoolean("disableOOMKiller"),
        UseHierarchy = node.OptionalBoolean("useHierarchy"),
        CheckBeforeUpdate = node.OptionalBoolean("checkBeforeUpdate"),
    };

    private static CpuResource Cpu(SpecNode node) => new()
    {
        Shares = node.OptionalNumber<ulong>("shares"),
        Quota = node.OptionalNumber<long>("quota"),
        Burst = node.OptionalNumber<ulong>("burst"),
        Period = node.OptionalNumber<ulong>("period"),
        RealtimeRuntime = node.OptionalNumber<long>("realtimeRuntime"),
        RealtimePeriod = node.OptionalNumber<ulong>("realtimePeriod"),
        Cpus = node.OptionalText("cpus"),
        Mems = node.OptionalText("mems"),
        Idle = node.OptionalNumber<long>("idle"),
    };

    private static BlockIOResource BlockIO(SpecNode node) => new()
    {
        Weight = node.OptionalNumber<ushort>("weight"),
        LeafWeight = node.OptionalNumber<ushort>("leafWeight"),
        WeightDevice = node.Objects("weightDevice", WeightDevice),
        ThrottleReadBpsDevice = node.Objects("throttleReadBpsDevice", ThrottleDevice),
        ThrottleWriteBpsDevice = node.Objects("throttleWriteBpsDevice", ThrottleDevice),
        ThrottleReadIopsDevice = node.Objects("throttleReadIOPSDevice", ThrottleDevice),
        ThrottleWriteIopsDevice = node.Objects("throttleWriteIOPSDevice", ThrottleDevice),
    };

    private static WeightDevice WeightDevice(SpecNode node) => new(node.Number<long>("major"), node.Number<long>("minor"))
    {
        Weight = node.OptionalNumber<ushort>("weight"),
        LeafWeight = node.OptionalNumber<ushort>("leafWeight"),
    };

    private static ThrottleDevice ThrottleDevice(SpecNode node) =>
        new(node.Number<long>("major"), node.Number<long>("minor"), node.Number<ulong>("rate"));

    private static NetworkResource Network(SpecNode node) => new()
    {
        ClassId = node.OptionalNumber<uint>("classID"),
        Priorities = node.Objects(
            "priorities", static priority => new InterfacePriority(priority.Text("name"), priority.Number<uint>("priority"))),
    };

    private static RdmaLimit Rdma(SpecNode node) => new()
    {
        HcaHandles = node.OptionalNumber<uint>("hcaHandles"),
        HcaObjects = node.OptionalNumber<uint>("hcaObjects"),
    };
}
