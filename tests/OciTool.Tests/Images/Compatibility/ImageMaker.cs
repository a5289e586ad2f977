using System.Text;
using OciTool.Images;
using OciTool.Images.Compatibility;

namespace OciTool.Tests.Images.Compatibility;

/// <summary>Images of a few files in memory, and a host like any other, for checks to be tried on.</summary>
internal sealed class ImageMaker
{
    public static readonly HostFacts Host = new()
    {
        Architecture = "amd64",
        Variant = "v3",
        Kernel = "6.1.0-18-amd64",
        PageSize = 4096,
        Executes = new Dictionary<string, string> { ["amd64"] = "runs", ["386"] = "runs", ["arm64"] = "ENOEXEC", ["arm"] = "ENOEXEC" },
        Handlers = [],
        SystemCalls = new Dictionary<string, string> { ["clone3"] = "ok", ["statx"] = "ok" },
        Cgroups = "v2",
        IsRoot = true,
        MappedUsers = uint.MaxValue,
        MappedGroups = uint.MaxValue,
        UserNamespace = "ok",
        Store = new StoreFacts("ext4", "erofs", Xattrs: true, CaseSensitive: true),
    };

    private readonly FakeLayer _layer = new() { BytesOfEach = 0 };

    public FakeLayer Layer => _layer;

    public ExecutionConfig Config { get; set; } = new() { Cmd = ["/bin/app"] };

    public Platform Platform { get; set; } = new("linux", "amd64");

    public int Layers { get; set; } = 1;

    /// <summary>The program <c>/bin/app</c>.</summary>
    public ImageMaker App(byte[] content, int mode = 0x1ed) => File("bin/app", content, mode);

    public ImageMaker App(string content, int mode = 0x1ed) => File("bin/app", Encoding.UTF8.GetBytes(content), mode);

    public ImageMaker File(string name, byte[] content, int mode = 0x1ed)
    {
        _layer.Add(name, new MemoryNode(MemoryNodeKind.Regular, mode, 0, 0, content.Length) { Content = content });
        return this;
    }

    public ImageMaker Text(string name, string content) => File(name, Encoding.UTF8.GetBytes(content), 0x1a4);

    public ImageMaker Link(string name, string target)
    {
        _layer.Add(name, new MemoryNode(MemoryNodeKind.Link, 0x1ff, 0, 0, 0) { Target = target });
        return this;
    }

    public ImageFacts Read(HostFacts? host = null) => ImageReading.Read(ImageConfig(), new LayeredTree([_layer.Open], Config), host ?? Host);

    /// <summary>The facts when no file could be read.</summary>
    public ImageFacts Unread() => ImageReading.Read(ImageConfig(), files: null, Host);

    public static CheckResult Check(string id, ImageFacts facts, HostFacts host) => CompatibilityReport
        .Make("test", Digest.Parse($"sha256:{new string('0', 64)}"), facts, host, DateTimeOffset.UnixEpoch).Checks.Single(check => check.Id == id);

    private ImageConfig ImageConfig() => new(
        Platform.Architecture, Platform.Os,
        new ImageRootfs("layers", [.. Enumerable.Range(0, Layers).Select(number => Digest.Of(BitConverter.GetBytes(number)))]))
    { Config = Config, Variant = Platform.Variant };
}
