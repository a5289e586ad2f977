using OciTool.Runtime;
using OciTool.Runtime.Users;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class UserLookupTests
{
    private const string Passwd =
        "root:x:0:0::/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n7up:x:70:71::/up:/bin/sh\nnohome:x:5:5\n";

    private const string Group = "root:x:0:\nbobg:x:1001:\nextra:x:2000:bob,root\nmore:x:2001:al,bob\n";

    [Theory]
    [InlineData("", 0, 0, "0,2000", "/root")]
    [InlineData(":", 0, 0, "0", "/root")]
    [InlineData("0", 0, 0, "0,2000", "/root")]
    [InlineData("0:", 0, 0, "0", "/root")]
    [InlineData(":1001", 0, 1001, "1001", "/root")]
    [InlineData("bob", 1000, 1001, "1001,2000,2001", "/home/bob")]
    [InlineData("1000", 1000, 1001, "1001,2000,2001", "/home/bob")]
    [InlineData("1000:", 1000, 1001, "1001", "/home/bob")]
    [InlineData("1000:0", 1000, 0, "0", "/home/bob")]
    [InlineData("bob:extra", 1000, 2000, "2000", "/home/bob")]
    [InlineData("bob:2147483647", 1000, 2147483647, "2147483647", "/home/bob")]
    [InlineData("1234:5678", 1234, 5678, "5678", "/")]
    [InlineData("1234", 1234, 0, "0", "/")]
    [InlineData("2147483647", 2147483647, 0, "0", "/")]
    [InlineData("7up", 70, 71, "71", "/up")]
    [InlineData("nohome", 5, 5, "5", "/")]
    [Cve("CVE-2022-36109", "the own group is missing among the supplementary ones, so that what is closed to it opens")]
    [Cve("CVE-2023-25173", "the same in another engine")]
    public void A_user_is_resolved_to_numbers(string text, uint uid, uint gid, string gids, string home)
    {
        using TestRoot root = TestRoot.WithAccounts(Passwd, Group);
        ContainerUser user = UserLookup.Resolve(text, [], root.Root);
        Assert.Equal((uid, gid, gids, home), (user.Uid, user.Gid, string.Join(',', user.AdditionalGids), user.Home));
    }

    [Theory]
    [InlineData("nosuchuser", "unable to find user nosuchuser: no matching entries in passwd file")]
    [InlineData("bob:nogrp", "unable to find group nogrp: no matching entries in group file")]
    [InlineData("1000x", "unable to find user 1000x: no matching entries in passwd file")]
    [InlineData(" 1", "unable to find user  1: no matching entries in passwd file")]
    [InlineData("0x0", "unable to find user 0x0: no matching entries in passwd file")]
    [InlineData("1e3", "unable to find user 1e3: no matching entries in passwd file")]
    [InlineData("1:2:3", "invalid user '1:2:3': it is not user[:group]")]
    [InlineData("4294967296", "uids and gids must be in range 0-2147483647: got 4294967296")]
    [InlineData("2147483648", "uids and gids must be in range 0-2147483647: got 2147483648")]
    [InlineData("0:4294967296", "uids and gids must be in range 0-2147483647: got 4294967296")]
    [InlineData("-1", "uids and gids must be in range 0-2147483647: got -1")]
    [InlineData("+1", "uids and gids must be in range 0-2147483647: got +1")]
    [InlineData("99999999999999999999999", "uids and gids must be in range 0-2147483647: got 99999999999999999999999")]
    [Cve("CVE-2024-40635", "a number beyond the range of IDs wraps around to root")]
    [Cve("CVE-2026-30892", "a user that is not quite a number is read as another one")]
    public void What_is_no_user_is_refused_with_status_126(string text, string message)
    {
        using TestRoot root = TestRoot.WithAccounts(Passwd, Group);
        ContainerSetupException e = Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve(text, [], root.Root));
        Assert.Equal((message, 126), (e.Message, e.ExitCode));
    }

    [Fact]
    [Cve("CVE-2016-3697", "a number that is looked up as a name, which the image gives to root")]
    public void Digits_are_never_taken_for_a_name()
    {
        using TestRoot root = TestRoot.WithAccounts("4294967296:x:0:0::/:\n1000:x:0:0::/:\n");
        Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("4294967296", [], root.Root));
        Assert.Equal(1000u, UserLookup.Resolve("1000", [], root.Root).Uid);
    }

    [Fact]
    public void Added_groups_come_by_name_or_number_and_once()
    {
        using TestRoot root = TestRoot.WithAccounts(Passwd, Group);
        Assert.Equal([1001u, 77, 2001, 2000], UserLookup.Resolve("bob", ["77", "more", "77"], root.Root).AdditionalGids);
        ContainerSetupException e = Assert.Throws<ContainerSetupException>(
            () => UserLookup.Resolve("bob", ["nogrp"], root.Root));
        Assert.Equal("unable to find group nogrp: no matching entries in group file", e.Message);
    }

    [Fact]
    public void An_image_without_account_files_knows_numbers_only()
    {
        using TestRoot root = new();
        Assert.Equal((0u, "/", false), Summary(UserLookup.Resolve("", [], root.Root)));
        Assert.Equal((12u, "/", false), Summary(UserLookup.Resolve("12:13", [], root.Root)));
        Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("root", [], root.Root));

        static (uint Uid, string Home, bool IsInPasswd) Summary(ContainerUser user) => (user.Uid, user.Home, user.IsInPasswd);
    }

    [Fact]
    [Cve("CVE-2024-9676", "an account file is a FIFO")]
    public void A_fifo_in_place_of_the_file_is_refused_and_does_not_hang()
    {
        using TestRoot root = new();
        root.MakeFifo("/etc/passwd");
        ContainerSetupException e = Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("", [], root.Root));
        Assert.Equal("cannot read /etc/passwd of the image: '/etc/passwd' is not a regular file", e.Message);
    }

    [Fact]
    public void A_symbolic_link_is_resolved_inside_the_root()
    {
        using TestRoot root = new();
        root.Write("/etc/group", "");
        File.WriteAllText(Path.Join(root.Canary, "passwd"), "host:x:1:1::/:\n");
        File.CreateSymbolicLink(root.HostPath("/etc/passwd"), Path.Join(root.Canary, "passwd"));
        Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("host", [], root.Root));

        root.Write("/real", "inside:x:8:9::/in:\n");
        File.Delete(root.HostPath("/etc/passwd"));
        File.CreateSymbolicLink(root.HostPath("/etc/passwd"), "../../../../real");
        Assert.Equal(8u, UserLookup.Resolve("inside", [], root.Root).Uid);
    }

    [Fact]
    public void A_link_to_itself_or_to_a_device_is_refused()
    {
        using TestRoot root = new();
        root.Write("/etc/group", "");
        File.CreateSymbolicLink(root.HostPath("/etc/passwd"), "passwd");
        Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("", [], root.Root));

        Assert.SkipUnless(Environment.IsPrivilegedProcess, "making a device node needs root");
        File.Delete(root.HostPath("/etc/passwd"));
        using System.Diagnostics.Process mknod = System.Diagnostics.Process.Start(
            "mknod", [root.HostPath("/etc/passwd"), "c", "1", "5"]);
        mknod.WaitForExit();
        Assert.SkipUnless(mknod.ExitCode == 0, "device nodes cannot be made here");
        Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("", [], root.Root));
    }

    [Fact]
    [Cve("CVE-2026-47262", "an account file of any size is read into memory")]
    public void Files_and_lines_beyond_the_limits_are_refused()
    {
        using TestRoot root = TestRoot.WithAccounts(new string('a', 4097) + ":x:0:0::/:\n");
        Assert.Contains(
            "a line has more than 4096 bytes",
            Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("", [], root.Root)).Message,
            StringComparison.Ordinal);

        using TestRoot huge = TestRoot.WithAccounts(new string('\n', (1 << 20) + 1));
        Assert.Contains(
            "larger than 1048576 bytes",
            Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("", [], huge.Root)).Message,
            StringComparison.Ordinal);

        using TestRoot exact = TestRoot.WithAccounts(new string('\n', 1 << 20));
        Assert.Equal(0u, UserLookup.Resolve("", [], exact.Root).Uid);
    }

    [Theory]
    [InlineData("evil:x:4294967296:0::/:\n", "")]
    [InlineData("evil:x:0:4294967295::/:\n", "")]
    [InlineData("root:x:0:0::/:\n", "evil:x:2147483648:\n")]
    [Cve("CVE-2026-46680", "an account of the image has an ID out of range")]
    public void An_id_out_of_range_inside_the_image_is_refused(string passwd, string group)
    {
        using TestRoot root = TestRoot.WithAccounts(passwd, group);
        ContainerSetupException e = Assert.Throws<ContainerSetupException>(() => UserLookup.Resolve("root", [], root.Root));
        Assert.Contains("is not in range 0-2147483647", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_of_another_form_are_passed_over()
    {
        using TestRoot root = TestRoot.WithAccounts("# comment\n+::::\n\nbroken\nx:y\nbob:x:12:13:::\r\n", "nonsense\n");
        Assert.Equal((12u, 13u), (UserLookup.Resolve("bob", [], root.Root).Uid, UserLookup.Resolve("bob", [], root.Root).Gid));
    }
}
