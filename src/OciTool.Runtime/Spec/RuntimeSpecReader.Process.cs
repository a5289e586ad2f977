namespace OciTool.Runtime.Spec;

public static partial class RuntimeSpecReader
{
    private static ProcessSpec Process(SpecNode node) => new(node.Text("cwd"), node.Object("user", User))
    {
        Terminal = node.OptionalBoolean("terminal"),
        ConsoleSize = node.OptionalObject("consoleSize", static size => new ConsoleSize(size.Number<uint>("height"), size.Number<uint>("width"))),
        Args = node.Texts("args"),
        Env = node.Texts("env"),
        Capabilities = node.OptionalObject("capabilities", Capabilities),
        Rlimits = node.Objects("rlimits", Rlimit),
        NoNewPrivileges = node.OptionalBoolean("noNewPrivileges"),
        OomScoreAdj = node.OptionalNumber<int>("oomScoreAdj"),
        IoPriority = node.OptionalObject("ioPriority", static io => new IoPrioritySpec(io.Text("class"), io.Number<int>("priority"))),
        Scheduler = node.OptionalObject("scheduler", Scheduler),
        ExecCPUAffinity = node.OptionalObject("execCPUAffinity", ProcessorAffinity),
        ApparmorProfile = node.OptionalText("apparmorProfile"),
        SelinuxLabel = node.OptionalText("selinuxLabel"),
    };

    private static UserSpec User(SpecNode node) => new(node.Number<uint>("uid"), node.Number<uint>("gid"))
    {
        Umask = node.OptionalNumber<uint>("umask"),
        AdditionalGids = node.Numbers<uint>("additionalGids"),
    };

    private static CapabilitiesSpec Capabilities(SpecNode node) => new()
    {
        Bounding = node.Texts("bounding"),
        Effective = node.Texts("effective"),
        Inheritable = node.Texts("inheritable"),
        Permitted = node.Texts("permitted"),
        Ambient = node.Texts("ambient"),
    };

    private static RlimitSpec Rlimit(SpecNode node) => new(node.Text("type"), node.Number<ulong>("soft"), node.Number<ulong>("hard"));

    private static SchedulerSpec Scheduler(SpecNode node) => new(node.Text("policy"))
    {
        Nice = node.OptionalNumber<int>("nice"),
        Priority = node.OptionalNumber<int>("priority"),
        Flags = node.Texts("flags"),
        Runtime = node.OptionalNumber<ulong>("runtime"),
        Deadline = node.OptionalNumber<ulong>("deadline"),
        Period = node.OptionalNumber<ulong>("period"),
    };

    private static ProcessorAffinitySpec ProcessorAffinity(SpecNode node) => new()
    {
        Initial = node.OptionalText("initial"),
        Final = node.OptionalText("final"),
    };
}
