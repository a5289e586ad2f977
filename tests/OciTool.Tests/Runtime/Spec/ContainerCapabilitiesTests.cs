using OciTool.Images;
using OciTool.Runtime;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class ContainerCapabilitiesTests
{
    private const ulong Everything = (1UL << 41) - 1;

    private static readonly string[] Eleven =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_SETFCAP",
    ];

    [Fact]
    public void Root_gets_eleven_and_passes_none_on()
    {
        CapabilitiesSpec sets = Resolve(new(), uid: 0);
        Assert.Equal(Eleven, sets.Bounding);
        Assert.Equal(Eleven, sets.Effective);
        Assert.Equal(Eleven, sets.Permitted);
        Assert.Empty(sets.Inheritable!);
        Assert.Empty(sets.Ambient!);
    }

    [Fact]
    public void Another_user_gets_only_what_was_added()
    {
        CapabilitiesSpec sets = Resolve(new() { CapAdd = ["sys_admin"] }, uid: 1000);
        Assert.Equal(12, sets.Bounding!.Count);
        Assert.All(
            [sets.Effective, sets.Permitted, sets.Inheritable, sets.Ambient],
            set => Assert.Equal(["CAP_SYS_ADMIN"], set));
    }

    [Fact]
    public void Adding_and_dropping_take_all_in_turn()
    {
        Assert.Equal(["CAP_CHOWN"], Resolve(new() { CapDrop = ["all"], CapAdd = ["CAP_CHOWN"] }, 0).Bounding);
        Assert.Equal(40, Resolve(new() { CapDrop = ["chown"], CapAdd = ["ALL"] }, 0).Bounding!.Count);
        Assert.Equal(10, Resolve(new() { CapDrop = ["CHOWN"] }, 0).Bounding!.Count);
        Assert.Equal(41, Resolve(new() { Privileged = true }, 0).Bounding!.Count);
        Assert.Empty(Resolve(new() { CapDrop = ["all"] }, 0).Bounding!);
    }

    [Fact]
    public void What_this_process_lacks_is_left_out_and_told_if_it_was_asked_for()
    {
        List<string> warnings = [];
        CapabilitiesSpec sets = ContainerCapabilities.Resolve(
            new() { CapAdd = ["sys_resource"] }, 0, Everything & ~ContainerCapabilities.SysResource & ~1UL, warnings);
        Assert.Equal(Eleven.Except(["CAP_CHOWN"]), sets.Bounding);
        Assert.Equal(["CAP_SYS_RESOURCE: this process does not have it to give: left out"], warnings);
    }

    [Theory]
    [InlineData("bogus", "", "\"CAP_BOGUS\": unknown capability")]
    [InlineData("", "cap_bogus", "\"CAP_BOGUS\": unknown capability")]
    [InlineData("chown", "chown", "capability \"CAP_CHOWN\" cannot be dropped and added")]
    public void Names_that_make_no_sense_are_errors(string add, string drop, string message) => Assert.Equal(
        message,
        Assert.Throws<OciException>(() => Resolve(
            new() { CapAdd = add.Length > 0 ? [add] : [], CapDrop = drop.Length > 0 ? [drop] : [] }, 0)).Message);

    private static CapabilitiesSpec Resolve(RunOptions options, uint uid) =>
        ContainerCapabilities.Resolve(options, uid, Everything, []);
}
