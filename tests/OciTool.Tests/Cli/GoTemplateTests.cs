using OciTool.Cli.Output.Templates;
using OciTool.Cli.Views;
using Xunit;

namespace OciTool.Tests.Cli;

public sealed class GoTemplateTests
{
    private static readonly ImageSummary Image = new()
    {
        Id = "db287cb6be81",
        Size = 4660879,
        Labels = new() { ["b"] = "2", ["a"] = "<1>" },
        Names = ["quay.io/x:1", "y:2"],
    };

    [Theory]
    [InlineData("{{.Id}}", "db287cb6be81")]
    [InlineData("{{.ID}}", "db287cb6be81")]
    [InlineData("{{.Size}} {{.Dangling}} {{.Digest}}", "4660879 false ")]
    [InlineData("{{.Labels}}", "map[a:<1> b:2]")]
    [InlineData("{{.Names}} {{.RepoTags}}", "[quay.io/x:1 y:2] []")]
    [InlineData("{{.Labels.a}} {{.Labels.none}}", "<1> <no value>")]
    [InlineData("{{.CreatedAt}}", "0001-01-01 00:00:00 +0000 UTC")]
    [InlineData("{{json .Labels}} {{json .RepoTags}} {{.Names | json}}", """{"a":"<1>","b":"2"} null ["quay.io/x:1","y:2"]""")]
    [InlineData("{{join .Names \",\"}} {{len .Names}} {{index .Names 1}}", "quay.io/x:1,y:2 2 y:2")]
    [InlineData("{{range $i, $e := .Names}}{{$i}}={{$e}};{{end}}", "0=quay.io/x:1;1=y:2;")]
    [InlineData("{{range .RepoTags}}x{{else}}none{{end}}", "none")]
    [InlineData("{{range $k, $v := .Labels}}{{$k}}{{$v}}{{end}}", "a<1>b2")]
    [InlineData("{{range .Names}}{{if eq . \"y:2\"}}{{continue}}{{end}}{{.}}{{end}}", "quay.io/x:1")]
    [InlineData("{{if .Dangling}}a{{else if gt .Size 10}}b{{else}}c{{end}}", "b")]
    [InlineData("{{with .Id}}{{.}}{{end}}{{with .Digest}}x{{else}}y{{end}}", "db287cb6be81y")]
    [InlineData("{{$x := .Size}}{{$x = 1}}{{$x}} {{$.Id}}", "1 db287cb6be81")]
    [InlineData("a {{- .Id -}}  b{{/* no */}}c {{- /* no */ -}} d", "adb287cb6be81bcd")]
    [InlineData("{{.Id | upper | lower | title}} {{slice .Id 0 4}} {{truncate .Id 3}}", "Db287cb6be81 db28 db2")]
    [InlineData("{{(index .Names 0) | printf \"%-13s|%5d|%q\" | print}}", "quay.io/x:1  |%!d(MISSING)|%!q(MISSING)")]
    [InlineData("{{printf \"%-4s|%5d|%05d|%v|%t\" \"a\" 42 7 .Names true}}", "a   |   42|00007|[quay.io/x:1 y:2]|true")]
    [InlineData("{{and 1 0}} {{or 0 \"x\"}} {{not 0}} {{ne 1 2}} {{le 2 2}}", "0 x true true true")]
    [InlineData("{{print 1 2 \"a\" \"b\" 3}}{{println 1 \"b\"}}", "1 2ab31 b\n")]
    [InlineData("{{pad \"x\" 1 2}}|{{split \"a,b\" \",\"}}|{{`raw\\n`}}|{{\"t\\tn\"}}", " x  |[a b]|raw\\n|t\tn")]
    public void A_template_prints_what_Go_prints(string template, string expected)
    {
        using StringWriter output = new();

        GoTemplate.Parse("t", template).Execute(output, TemplateValue.Of(Image, OutputJson.Default.ImageSummary));

        Assert.Equal(expected, output.ToString());
    }

    [Theory]
    [InlineData("{{.Nope}}", "template: images:1:13: executing \"images\" at <.Nope>: can't evaluate field Nope in type images.imageReporter")]
    [InlineData("{{.Bad", "template: images:1: bad character U+007B '{'")]
    [InlineData("{{nope .Id}}", "template: images:1: function \"nope\" not defined")]
    [InlineData("{{.Id | json", "template: images:1: bad character U+007B '{'")]
    [InlineData("{{$x}}", "template: images:1: undefined variable \"$x\"")]
    [InlineData("{{}}", "template: images:1: missing value for command")]
    [InlineData("{{json}}", "template: images:1:13: executing \"images\" at <json>: wrong number of args for json: want 1 got 0")]
    [InlineData("{{index .Names 7}}", "template: images:1:13: executing \"images\" at <index .Names 7>: error calling index: index out of range: 7")]
    public void A_wrong_template_fails_in_Gos_words(string template, string message)
    {
        Exception? failure = Record.Exception(() => RowFormat.Parse("images", template).Write(
            TextWriter.Null, [TemplateValue.Of(Image, OutputJson.Default.ImageSummary, "images.imageReporter")]));

        Assert.Equal(message, Assert.IsType<TemplateException>(failure).Message);
    }

    [Fact]
    public void What_stands_before_a_failing_action_has_been_printed()
    {
        using StringWriter output = new();

        Assert.Throws<TemplateException>(() => RowFormat.WriteOne(
            "version", "4.3.1 {{.Nope}}", output, TemplateValue.Of(Image, OutputJson.Default.ImageSummary)));

        Assert.Equal("4.3.1 ", output.ToString());
    }

    [Fact]
    public void A_table_has_podmans_header_and_columns()
    {
        using StringWriter output = new();

        RowFormat.Parse("images", "table {{.ID}} {{.CreatedSince}}\\t{{.Size}}").Write(
            output,
            [TemplateValue.Of(Image, OutputJson.Default.ImageSummary).With("CreatedSince", "2 years ago")],
            new Dictionary<string, string> { ["ID"] = "IMAGE ID", ["CreatedSince"] = "CREATED" });

        Assert.Equal("IMAGE ID      CREATED      SIZE\ndb287cb6be81  2 years ago  4660879\n", output.ToString());
    }
}
