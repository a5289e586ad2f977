using OciTool.Images;
using OciTool.Runtime;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class RunFlagTests
{
    [Theory]
    [InlineData("/src:/dst", "/src", "/dst", "rw,rprivate,rbind")]
    [InlineData("/src/../a:/dst/./x//y/", "/a", "/dst/x/y", "rw,rprivate,rbind")]
    [InlineData("/src:/dst:ro,z", "/src", "/dst", "rro,rprivate,rbind")]
    [InlineData("/src:/dst:noexec,nosuid,nodev", "/src", "/dst", "rnoexec,rnosuid,rnodev,rw,rprivate,rbind")]
    [InlineData("/src:/dst:bind,private", "/src", "/dst", "bind,private,rw")]
    public void A_volume_names_source_destination_and_options(string text, string source, string destination, string options)
    {
        VolumeMount volume = VolumeMount.Parse(text);
        Assert.Equal(
            (source, destination, options), (volume.Source, volume.Destination, string.Join(',', volume.SpecOptions())));
    }

    [Fact]
    public void A_relative_source_starts_at_the_working_directory()
    {
        Assert.Equal(Path.GetFullPath("./data"), VolumeMount.Parse("./data:/d").Source);
        Assert.Equal(Path.GetFullPath(".."), VolumeMount.Parse("..:/d").Source);
    }

    [Fact]
    public void A_volume_without_a_source_is_the_containers_own() => Assert.Null(VolumeMount.Parse("/data").Source);

    [Theory]
    [InlineData("a:b:c:d", "a:b:c:d: incorrect volume format, should be [host-dir:]ctr-dir[:option]")]
    [InlineData("/tmp:x", "invalid container path \"x\", must be an absolute path")]
    [InlineData(":/x", "host directory cannot be empty")]
    [InlineData("/tmp:", "container directory cannot be empty")]
    [InlineData("/tmp:/", "invalid container path \"/\", must not be the root")]
    [InlineData("/tmp:/x:bogus", "invalid option type \"bogus\"")]
    [InlineData("/tmp:/x:ro,rw", "invalid options \"ro, rw\", can only specify 1 'rw' or 'ro' option")]
    [InlineData("/tmp:/x:U", "volume option 'U' is not supported: '/tmp:/x:U'")]
    [InlineData("/tmp:/x:shared", "volume option 'shared' is not supported: '/tmp:/x:shared'")]
    [InlineData("name:/x", "named volumes are not supported: 'name:/x'")]
    public void A_volume_of_another_form_is_refused_with_status_125(string text, string message)
    {
        OciException e = Assert.Throws<OciException>(() => VolumeMount.Parse(text));
        Assert.Equal((message, 125), (e.Message, e.ExitCode));
    }

    [Theory]
    [InlineData("/x", "/x", "rw,rprivate,nosuid,nodev,tmpcopyup")]
    [InlineData("/x:size=64m,mode=1777", "/x", "size=64m,mode=1777,rw,rprivate,nosuid,nodev,tmpcopyup")]
    [InlineData("/x:ro,exec,dev,suid,notmpcopyup", "/x", "ro,exec,dev,suid,rprivate")]
    public void A_tmpfs_names_destination_and_options(string text, string destination, string options)
    {
        TmpfsMount tmpfs = TmpfsMount.Parse(text);
        Assert.Equal((destination, options), (tmpfs.Destination, string.Join(',', tmpfs.SpecOptions())));
    }

    [Theory]
    [InlineData("x", "invalid container path \"x\", must be an absolute path")]
    [InlineData("/x:foo", "unknown mount option \"foo\": invalid mount option")]
    [InlineData("/x:size=", "unknown mount option \"size=\": invalid mount option")]
    [InlineData("/x:size=abc", "unknown mount option \"size=abc\": invalid mount option")]
    public void A_tmpfs_of_another_form_is_refused(string text, string message) =>
        Assert.Equal(message, Assert.Throws<OciException>(() => TmpfsMount.Parse(text)).Message);

    [Theory]
    [InlineData("nofile=1024:2048", "RLIMIT_NOFILE", 1024, 2048)]
    [InlineData("NPROC=5", "RLIMIT_NPROC", 5, 5)]
    [InlineData("core=0:-1", "RLIMIT_CORE", 0, ulong.MaxValue)]
    public void A_ulimit_names_soft_and_hard_limit(string text, string type, ulong soft, ulong hard) =>
        Assert.Equal(new RlimitSpec(type, soft, hard), Ulimit.Parse(text));

    [Theory]
    [InlineData("foo=1", "invalid ulimit type: foo")]
    [InlineData("core=2:1", "ulimit soft limit must be less than or equal to hard limit: 2 > 1")]
    [InlineData("core=x", "'x' is not a number")]
    [InlineData("core", "it has no '='")]
    [InlineData("core=1:2:3", "too many limits")]
    public void A_ulimit_of_another_form_is_refused(string text, string cause) => Assert.Equal(
        $"ulimit option \"{text}\" requires name=SOFT:HARD, failed to be parsed: {cause}",
        Assert.Throws<OciException>(() => Ulimit.Parse(text)).Message);

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("/bin/sh", new[] { "/bin/sh" })]
    [InlineData("a b", new[] { "a b" })]
    [InlineData("[\"/bin/sh\",\"-c\"]", new[] { "/bin/sh", "-c" })]
    [InlineData("[\"a\",1]", new[] { "[\"a\",1]" })]
    [InlineData("[", new[] { "[" })]
    public void An_entrypoint_is_a_json_array_or_one_word(string text, string[] words) =>
        Assert.Equal(words, ContainerCommand.ParseEntrypoint(text));

    [Fact]
    public void The_command_replaces_cmd_and_an_entrypoint_of_the_users_clears_it()
    {
        ExecutionConfig image = new() { Entrypoint = ["/e", "x"], Cmd = ["c"] };
        Assert.Equal(["/e", "x", "c"], ContainerCommand.Resolve(image, new()));
        Assert.Equal(["/e", "x", "u"], ContainerCommand.Resolve(image, new() { Command = ["u"] }));
        Assert.Equal(["/n"], ContainerCommand.Resolve(image, new() { Entrypoint = ["/n"] }));
        Assert.Equal(["/n", "u"], ContainerCommand.Resolve(image, new() { Entrypoint = ["/n"], Command = ["u"] }));
        Assert.Equal(["u"], ContainerCommand.Resolve(image, new() { Entrypoint = [], Command = ["u"] }));
        Assert.Equal(["c"], ContainerCommand.Resolve(new() { Cmd = ["c"] }, new()));
    }

    [Fact]
    public void No_command_at_all_is_an_error()
    {
        ExecutionConfig image = new() { Entrypoint = ["/e"], Cmd = ["c"] };
        foreach ((ExecutionConfig? config, RunOptions options) in new (ExecutionConfig?, RunOptions)[]
            { (null, new()), (new(), new()), (image, new() { Entrypoint = [] }) })
        {
            OciException e = Assert.Throws<OciException>(() => ContainerCommand.Resolve(config, options));
            Assert.Equal(
                ("no command or entrypoint provided, and no CMD or ENTRYPOINT from image", 125), (e.Message, e.ExitCode));
        }
    }
}
