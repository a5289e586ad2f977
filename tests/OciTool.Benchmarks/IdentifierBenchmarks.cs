using BenchmarkDotNet.Attributes;
using OciTool.Images;

namespace OciTool.Benchmarks;

/// <summary>Parsing what people type and what documents name: both happen on every start.</summary>
[MemoryDiagnoser]
public class IdentifierBenchmarks
{
    private readonly string _digest = Digest.Of("content"u8).ToString();
    private readonly string _pinned = $"registry.example.com:5000/team/product/image:1.2.3@{Digest.Of("content"u8)}";

    [Benchmark]
    public Digest ParseDigest() => Digest.Parse(_digest);

    [Benchmark]
    [Arguments("fedora")]
    [Arguments("quay.io/fedora/fedora:34")]
    public Reference ParseReference(string text) => Reference.Parse(text);

    [Benchmark]
    public Reference ParsePinnedReference() => Reference.Parse(_pinned);
}
