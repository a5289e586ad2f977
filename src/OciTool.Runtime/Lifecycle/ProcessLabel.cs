using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>The label that a security module confines a process by.</summary>
internal static class ProcessLabel
{
    /// <summary>Adds the label to a plan, where the process has one.</summary>
    public static InitPlan AddTo(InitPlan plan, ProcessSpec process) => process switch
    {
        { ApparmorProfile: { Length: > 0 } profile } => plan with
        {
            LabelFile = Directory.Exists("/proc/self/attr/apparmor") ? "apparmor/exec" : "exec",
            Label = $"exec {profile}",
        },
        { SelinuxLabel: { Length: > 0 } label } => plan with { LabelFile = "exec", Label = label },
        _ => plan,
    };
}
