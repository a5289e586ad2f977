using OciTool.Images;
using OciTool.Runtime;
using Xunit;

namespace OciTool.Tests.Runtime.Spec;

public sealed class EnvironmentVariablesTests
{
    private readonly Dictionary<string, string> _host = new()
    {
        ["HOST1"] = "one",
        ["HOST2"] = "two",
        ["SECRET"] = "leak",
    };

    [Fact]
    public void The_last_value_wins_in_the_place_of_the_first()
    {
        EnvironmentVariables environment = Create();
        environment.Set("A", "1");
        environment.Set("B", "2");
        environment.AddUser("A=3=4");
        Assert.Equal(["A=3=4", "B=2"], environment.Variables);
    }

    [Fact]
    public void An_images_words_are_data_and_never_looked_up_on_the_host()
    {
        EnvironmentVariables environment = Create();
        List<string> warnings = [];
        environment.AddImage(["SECRET", "SEC*", "=x", "", "OK=", "A*=star", "N\0=x"], warnings);
        Assert.Equal(["OK=", "A*=star"], environment.Variables);
        Assert.Equal(5, warnings.Count);
        Assert.Equal("the image's environment variable 'SECRET' is not NAME=value: ignored", warnings[0]);
    }

    [Fact]
    public void The_user_may_take_variables_of_the_host_by_name_and_prefix()
    {
        EnvironmentVariables environment = Create();
        environment.AddUser("SECRET");
        environment.AddUser("ABSENT");
        environment.AddUser("HOST*");
        Assert.Equal(["SECRET=leak", "HOST1=one", "HOST2=two"], environment.Variables);
    }

    [Theory]
    [InlineData("=x")]
    [InlineData("=")]
    [InlineData("")]
    public void A_variable_without_a_name_is_refused(string variable) => Assert.Equal(
        $"invalid environment variable: \"{variable}\"",
        Assert.Throws<OciException>(() => Create().AddUser(variable)).Message);

    [Fact]
    public void A_file_has_comments_and_values_as_they_are()
    {
        using TestRoot root = new();
        root.Write("/env", " A=1 \n#c\n\nSECRET\nHOST*\nC=\"q\" # x\r\n");
        EnvironmentVariables environment = Create();
        environment.AddFile(root.HostPath("/env"));
        Assert.Equal(["A=1 ", "SECRET=leak", "HOST1=one", "HOST2=two", "C=\"q\" # x"], environment.Variables);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named()
    {
        Assert.Equal(
            "parsing env file \"/nonexistent/x\": open /nonexistent/x: no such file or directory",
            Assert.Throws<OciException>(() => Create().AddFile("/nonexistent/x")).Message);
        using TestRoot root = new();
        root.Write("/env", "=x\n");
        Assert.Equal(
            $"parsing env file \"{root.HostPath("/env")}\": invalid environment variable: \"=x\"",
            Assert.Throws<OciException>(() => Create().AddFile(root.HostPath("/env"))).Message);
    }

    private EnvironmentVariables Create() => new(_host.GetValueOrDefault, () => _host.Keys);
}
