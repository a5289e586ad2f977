using CsCheck;
using OciTool.Linux;
using OciTool.Runtime.Processes;
using Xunit;

namespace OciTool.Tests.Runtime.Processes;

public sealed class InitPlanTests
{
    private static readonly InitPlan Full = new()
    {
        Id = "abc",
        Arguments = ["sh", "", "ünï"],
        Environment = ["A=b"],
        Directory = "/tmp",
        DescriptorCount = 4,
        Joins = true,
        CgroupEntrances = [1, 2],
        PidNamespace = 3,
        IsMoved = true,
        MountNamespace = 0,
        TimeOffsets = "monotonic 1 2\n",
        Gate = 2,
        DiesWithMain = true,
        PreservedDescriptors = 5,
        KeepsKeyring = true,
        MakesDirectory = true,
        HasMainHooks = true,
        CreateContainerHooks = [new("/a") { Args = ["a", "b"], Env = ["C=d"], Timeout = 3 }],
        StartContainerHooks = [new("/e") { Args = [], Env = [] }],
        HookState = [7, 8],
        Namespaces = NamespaceKinds.Mount | NamespaceKinds.Pid,
        HostName = "host",
        Mounts =
        [
            new("/data", "bind", "/srv")
            {
                Recursive = true,
                Set = MountAttributes.ReadOnly,
                Clear = MountAttributes.NoSuid,
                SetBelow = MountAttributes.NoExecute,
                ClearBelow = MountAttributes.NoDevices,
                SourceDescriptor = 3,
                ChangesMount = true,
                Propagation = MountPropagation.Slave,
                RecursivePropagation = false,
                Options = ["a=b"],
            },
        ],
        Devices = [new("/dev/fuse", "c", 10, 229, 0x1b6, 1, 2)],
        MaskedPaths = ["/proc/kcore"],
        ReadonlyPaths = ["/proc/sys"],
        Parameters = [new("kernel.msgmax", "1")],
        ReadonlyRoot = true,
        RootPropagation = MountPropagation.Private,
        User = uint.MaxValue - 1,
        Group = 1000,
        Groups = [1, 2],
        KeepsGroups = true,
        FileMask = 0x3f,
        Limits = [new(7, 1024, ulong.MaxValue)],
        Capabilities = new(new(1), new(2), new(4), new(8), new(1UL << 40)),
        NoNewPrivileges = true,
        Filter = [1, 2, 3],
        FilterFlags = InitPlan.NewListener,
        LimitsByMain = true,
        LimitsAreStrict = true,
        InputOutputPriority = 0x4003,
        Schedule = new(3, 1, -5, 0, 1, 2, 3),
        Personality = 8,
        Processors = [3, 0, 0, 0, 0, 0, 0, 0],
        LabelFile = "apparmor/exec",
        Label = "exec x",
        Terminal = true,
        TerminalSize = new(50, 60_000),
        EmptyInput = true,
    };

    [Fact]
    public void A_plan_arrives_as_it_was_sent() =>
        Assert.Equivalent(Full, InitPlan.FromBytes(Full.ToBytes()), strict: true);

    [Fact]
    public void Nothing_given_stays_nothing()
    {
        InitPlan plan = InitPlan.FromBytes(new InitPlan { Id = "x", Arguments = ["true"] }.ToBytes());

        Assert.Null(plan.HostName);
        Assert.Null(plan.Personality);
        Assert.Null(plan.Schedule);
        Assert.Equal(-1, plan.Gate);
        Assert.Empty(plan.Filter);
    }

    [Fact]
    public void A_plan_that_is_cut_off_is_refused_wherever_it_is_cut()
    {
        byte[] bytes = Full.ToBytes();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => InitPlan.FromBytes(bytes[..length]));
        }
    }

    [Fact]
    public void Bytes_behind_a_plan_are_refused() =>
        Assert.Throws<InvalidDataException>(() => InitPlan.FromBytes([.. Full.ToBytes(), 0]));

    [Fact]
    public void A_claimed_length_is_never_believed() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Record.Exception(() => InitPlan.FromBytes(bytes)) is InvalidDataException or null);
}
