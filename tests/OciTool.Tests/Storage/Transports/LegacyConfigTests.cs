using System.Text;
using System.Text.Json;
using OciTool.Images;
using OciTool.Storage.Transports;
using Xunit;

namespace OciTool.Tests.Storage.Transports;

/// <summary>The configs that are made for docker's first format; the digests are those that dockerd 20.10 computed for the same layers.</summary>
public sealed class LegacyConfigTests
{
    private static readonly Digest[] DiffIds =
    [
        Digest.Parse("sha256:c5b49b1805d5b258eba8f60c88c535eb38b591a258d3c1bddb5c4db76ec0003c"),
        Digest.Parse("sha256:c9da31bb8eebf9e213e4c75ec5f0ba3595e2712c5af44ddc5d034e00e1a15ec0"),
    ];

    private static readonly string Parent = new string('a', 63) + "0";

    [Theory]
    [InlineData("b14aea6fe9462b927415e04606bd80bc1ab88cf3fa7b64be6e272926a39db96c", """
        { "id":"ID", "parent":"PARENT", "created":"2015-10-31T22:22:55.613815829Z", "container":"c0ffee",
          "container_config":{"Hostname":"h","Cmd":["/bin/sh","-c","#(nop) CMD [\"sh\"] \u0026 <x> \u00fc"],"Image":"PARENT"},
          "docker_version":"1.9.1", "author":"Jérôme <j@example.com> & \u4e2d𝄞", "comment":"a\tb\u0007",
          "config":{"Env":["PATH=/bin","A=<&>\u2028"],"Cmd":["sh"],"Labels":{"z":"1","a":"2"}}, "architecture":"amd64", "os":"linux",
          "Size":1234, "throwaway":true, "layer_id":"sha256:1", "custom" : { "b" : 1.50 , "a" : [ ] , "c":null } }
        """)]
    [InlineData("dcd0dbe9979e47e57f5f836c76d14c58870d133b1be6d55106c72fda00fd78f1", """
        { "id":"ID", "parent":"PARENT", "created":"2014-02-03T04:05:06.120000+02:00", "container":"c0ffee",
          "container_config":{"Hostname":"h","Cmd":["/bin/sh","-c","touch /<x> && true"],"Image":"PARENT","Memory":0,"PortSpecs":null},
          "docker_version":"1.7.0", "author":"Jérôme <j@example.com>", "unknown":1,
          "config":{"Hostname":"h","Domainname":"d","User":"","Memory":1,"AttachStdin":true,"ExposedPorts":{"80/tcp":{},"443/tcp":{}},"Tty":true,
            "Env":["PATH=/bin","A=<&>"],"Cmd":["sh"],"Image":"PARENT","Volumes":{"/b":{},"/a":{}},"WorkingDir":"/","Entrypoint":null,
            "NetworkDisabled":true,"MacAddress":"02:42:00:00:00:01","OnBuild":[],"Labels":{"z":"1","a":"<"}},
          "architecture":"amd64", "os":"linux", "Size":5 }
        """)]
    public void The_ID_is_dockers(string expected, string json)
    {
        JsonElement top = Parse(json.Replace("PARENT", Parent, StringComparison.Ordinal));
        JsonElement bottom = Parse("""{"created":"2015-10-31T22:22:55.613815829Z","container_config":{"Cmd":["/bin/sh","-c","layer 0"]}}""");

        byte[] config = LegacyConfig.Make(top, [LegacyConfig.History(bottom), LegacyConfig.History(top)], DiffIds);

        Assert.True(Digest.Of(config).Hex == expected, Encoding.UTF8.GetString(config));
        Assert.Equal(DiffIds, ImageConfig.Parse(new Document(MediaTypes.DockerConfig, config)).Rootfs.DiffIds);
    }

    [Theory]
    [InlineData("2015-01-01T00:00:00Z", "2015-01-01T00:00:00Z")]
    [InlineData("2015-01-01T00:00:00.120Z", "2015-01-01T00:00:00.12Z")]
    [InlineData("2015-01-01T00:00:00.000+00:00", "2015-01-01T00:00:00Z")]
    [InlineData("2015-01-01T00:00:00.1234567891-07:30", "2015-01-01T00:00:00.123456789-07:30")]
    public void A_time_is_written_as_Go_does(string written, string expected) =>
        Assert.Equal($$"""{"created":"{{expected}}"}""", LegacyConfig.History(Parse($$"""{"created":"{{written}}"}""")));

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
