using OciTool.Cli;
using Xunit;

namespace OciTool.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("version --bogus", "Error: unknown flag: --bogus\nSee 'oci version --help'\n")]
    [InlineData("version -n", "Error: unknown shorthand flag: 'n' in -n\nSee 'oci version --help'\n")]
    [InlineData("version --format", "Error: flag needs an argument: --format\nSee 'oci version --help'\n")]
    [InlineData("version -f", "Error: flag needs an argument: 'f' in -f\nSee 'oci version --help'\n")]
    [InlineData("--root", "Error: flag needs an argument: --root\nSee 'oci --help'\n")]
    [InlineData("--bogus version", "Error: unknown flag: --bogus\nSee 'oci --help'\n")]
    [InlineData("bogusverb", "Error: unrecognized command `oci bogusverb`\nTry 'oci --help' for more information\n")]
    [InlineData("version extra", "Error: `oci version` takes no arguments\n")]
    [InlineData("completion", "Error: accepts 1 arg(s), received 0\n")]
    [InlineData("completion bash zsh", "Error: accepts 1 arg(s), received 2\n")]
    public async Task A_wrong_command_line_is_answered_in_podmans_words_with_125(string line, string message)
    {
        (int status, string output, string error) = await RunAsync(line.Split(' '));

        Assert.Equal(message, error);
        Assert.Equal("", output);
        Assert.Equal(125, status);
    }

    [Fact]
    public async Task A_mistyped_verb_gets_a_guess()
    {
        (int status, _, string error) = await RunAsync("versoin");

        Assert.Equal(
            "Error: unrecognized command `oci versoin`\n\nDid you mean this?\n\tversion\n\nTry 'oci --help' for more information\n",
            error);
        Assert.Equal(125, status);
    }

    [Fact]
    public async Task Without_a_verb_help_goes_to_the_output_and_the_error_says_what_is_missing()
    {
        (int status, string output, string error) = await RunAsync();

        Assert.Contains("\nAvailable Commands:\n", output, StringComparison.Ordinal);
        Assert.Equal("Error: missing command 'oci COMMAND'\n", error);
        Assert.Equal(125, status);
    }

    [Theory]
    [InlineData("version --format {{.Client.Os}}")]
    [InlineData("version --format={{.Client.Os}}")]
    [InlineData("version -f {{.Client.Os}}")]
    [InlineData("version -f{{.Client.Os}}")]
    [InlineData("version -f=never -f={{.Client.Os}}")]
    [InlineData("--root /x --log-level=debug version -f {{.Client.Os}} --runroot /y")]
    public async Task An_option_may_be_written_in_every_form_that_podman_takes(string line)
    {
        (int status, string output, string error) = await RunAsync(line.Split(' '));

        Assert.Equal("", error);
        Assert.Equal("linux\n", output);
        Assert.Equal(0, status);
    }

    [Fact]
    public async Task A_value_may_look_like_an_option_or_a_response_file()
    {
        (_, string dashed, _) = await RunAsync("version", "--format", "--help");
        (_, string file, _) = await RunAsync("version", "--format", "@/etc/passwd");

        Assert.Equal("--help\n", dashed);
        Assert.Equal("@/etc/passwd\n", file);
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("-v")]
    public async Task The_version_is_one_line(string option)
    {
        (int status, string output, _) = await RunAsync(option);

        Assert.Equal($"oci version {Program.Version}\n", output);
        Assert.Equal(0, status);
    }

    [Fact]
    public async Task Help_of_a_verb_has_the_sections_of_podmans_help()
    {
        (int status, string output, _) = await RunAsync("version", "--help");

        Assert.Equal("""
            Display the version of oci

            Description:
              Prints the version of oci and the platform that it was built for.

            Usage:
              oci version [options]

            Examples:
              oci version
              oci version --format json
              oci version --format '{{.Client.Version}}'

            Options:
              -f, --format string   Print the output in JSON or by a Go template

            """, output);
        Assert.Equal(0, status);
    }

    [Theory]
    [InlineData(new[] { "__complete", "vers" }, "version\tDisplay the version of oci\n:4\n")]
    [InlineData(new[] { "__completeNoDesc", "version", "--f" }, "--format\n:4\n")]
    [InlineData(new[] { "__completeNoDesc", "completion", "" }, "bash\nfish\nzsh\n:4\n")]
    [InlineData(new[] { "__completeNoDesc", "version", "--format", "{{.Client.V" }, "{{.Client.Version}}\n:6\n")]
    [InlineData(new[] { "__completeNoDesc", "--root", "" }, ":0\n")]
    public async Task Completion_answers_in_the_protocol_of_podmans_scripts(string[] line, string expected)
    {
        (int status, string output, _) = await RunAsync(line);

        Assert.Equal(expected, output);
        Assert.Equal(0, status);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int status = await Program.RunAsync(args, output, error);
        return (status, output.ToString(), error.ToString());
    }
}
