using System.Text;
using BenchmarkDotNet.Attributes;
using OciTool.Images;

namespace OciTool.Benchmarks;

/// <summary>Verifying and parsing a manifest as it came from a registry.</summary>
[MemoryDiagnoser]
public class DocumentBenchmarks
{
    private byte[] _bytes = [];
    private Descriptor? _descriptor;
    private Document? _document;

    [Params(1, 60)]
    public int Layers { get; set; }

    [GlobalSetup]
    public void MakeManifest()
    {
        IEnumerable<string> layers = Enumerable.Range(0, Layers).Select(layer =>
            Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Digest.Of(BitConverter.GetBytes(layer)), 1_000_000));
        string config = Descriptor("application/vnd.oci.image.config.v1+json", Digest.Of("config"u8), 1_000);
        string manifest =
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{config}},"layers":[{{string.Join(',', layers)}}]}""";
        _bytes = Encoding.UTF8.GetBytes(manifest);
        _descriptor = new Descriptor(MediaTypes.OciManifest, Digest.Of(_bytes), _bytes.Length);
        _document = Document.Verify(_descriptor, _bytes);
    }

    [Benchmark]
    public Document Verify() => Document.Verify(_descriptor!, _bytes);

    [Benchmark]
    public Manifest Parse() => Manifest.Parse(_document!);

    private static string Descriptor(string mediaType, Digest digest, int size) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{digest}}","size":{{size}}}""";
}
