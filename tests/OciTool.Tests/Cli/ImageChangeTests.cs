using System.Text.Json.Nodes;
using OciTool.Cli;
using OciTool.Cli.Commands;
using Xunit;

namespace OciTool.Tests.Cli;

public sealed class ImageChangeTests
{
    // what podman 4.3.1 makes of the same
    [Theory]
    [InlineData("CMD [\"a\",\"b\"]", """{"Cmd":["a","b"]}""")]
    [InlineData("CMD a b", """{"Cmd":["/bin/sh","-c","a b"]}""")]
    [InlineData("CMD [\"a\"", """{"Cmd":["/bin/sh","-c","[\"a\""]}""")]
    [InlineData("CMD=x", """{"Cmd":["/bin/sh","-c","x"]}""")]
    [InlineData("CMD []", "{}")]
    [InlineData("ENTRYPOINT [\"/x\",\"y\"]", """{"Entrypoint":["/x","y"]}""")]
    [InlineData("env q=1", """{"Env":["q=1"]}""")]
    [InlineData("ENV x", """{"Env":["x="]}""")]
    [InlineData("ENV x=1 y=2", """{"Env":["x=1 y=2"]}""")]
    [InlineData("EXPOSE 80", """{"ExposedPorts":{"80/tcp":{}}}""")]
    [InlineData("EXPOSE 53/UDP", """{"ExposedPorts":{"53/udp":{}}}""")]
    [InlineData("LABEL a=b c=d", """{"Labels":{"a":"b c=d"}}""")]
    [InlineData("LABEL \"a b\"=\"c d\"", """{"Labels":{"a b":"c d"}}""")]
    [InlineData("ONBUILD RUN x", """{"OnBuild":["RUN x"]}""")]
    [InlineData("STOPSIGNAL 9", """{"StopSignal":"9"}""")]
    [InlineData("STOPSIGNAL SIGTERM", """{"StopSignal":"15"}""")]
    [InlineData("USER u:g", """{"User":"u:g"}""")]
    [InlineData("VOLUME /a /b", """{"Volumes":{"/a":{},"/b":{}}}""")]
    [InlineData("VOLUME [\"/a\"]", """{"Volumes":{"/a":{}}}""")]
    [InlineData("WORKDIR /x", """{"WorkingDir":"/x"}""")]
    public void A_change_is_applied_as_podman_does(string text, string expected)
    {
        JsonObject config = [];

        ImageChange.Parse(text).Apply(config);

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), config), config.ToJsonString());
    }

    [Fact]
    public void A_variable_is_replaced_and_the_others_stay()
    {
        JsonObject config = new() { ["Env"] = new JsonArray("A=1", "AB=2") };

        ImageChange.Parse("ENV A=3").Apply(config);

        Assert.Equal("""["AB=2","A=3"]""", config["Env"]!.ToJsonString());
    }

    [Theory]
    [InlineData("", "invalid change \"\" - must be formatted as KEY VALUE")]
    [InlineData("USER", "invalid change \"USER\" - must be formatted as KEY VALUE")]
    [InlineData("USER ", "invalid change \"USER \" - must provide a value to USER")]
    [InlineData("FOO bar", "invalid change \"FOO bar\" - invalid instruction FOO")]
    [InlineData("EXPOSE abc", "invalid change \"EXPOSE abc\" - EXPOSE port must be an integer: strconv.Atoi: parsing \"abc\": invalid syntax")]
    [InlineData("EXPOSE 70000", "invalid change \"EXPOSE 70000\" - EXPOSE port must be a valid port number")]
    [InlineData("EXPOSE 80/tcp 90/udp", "invalid change \"EXPOSE 80/tcp 90/udp\" - EXPOSE port must be formatted as PORT[/PROTO]")]
    [InlineData("EXPOSE 80/sctp", "invalid change \"EXPOSE 80/sctp\" - EXPOSE protocol must be TCP or UDP")]
    [InlineData("LABEL a", "invalid change \"LABEL a\" - LABEL must be formatted key=value")]
    [InlineData("LABEL =a", "invalid change \"LABEL =a\" - LABEL must have a non-empty key")]
    [InlineData("ENV =a", "invalid change \"ENV =a\" - ENV must have at least one argument")]
    [InlineData("STOPSIGNAL SIGFOO", "invalid change \"STOPSIGNAL SIGFOO\" - KILLSIGNAL must be given a valid signal: invalid signal: SIGFOO")]
    [InlineData("VOLUME []", "invalid change \"VOLUME []\" - VOLUME needs at least one argument")]
    [InlineData("WORKDIR ", "invalid change \"WORKDIR \" - must provide a non-empty WORKDIR")]
    [InlineData("\u001b[31mRED x", "invalid change \"\\x1b[31mRED x\" - invalid instruction \\x1b[31MRED")]
    public void A_wrong_change_is_refused_in_podmans_words(string text, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => ImageChange.Parse(text)).Message);
}
