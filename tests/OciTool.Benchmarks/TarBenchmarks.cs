using System.Formats.Tar;
using BenchmarkDotNet.Attributes;

namespace OciTool.Benchmarks;

/// <summary>Reading the headers of an archive of small files; .NET's reader beside ours.</summary>
[MemoryDiagnoser]
public class TarBenchmarks
{
    private const int Entries = 10_000;

    private byte[] _archive = [];

    [Params(TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu)]
    public TarEntryFormat Format { get; set; }

    [GlobalSetup]
    public void MakeArchive()
    {
        using MemoryStream archive = new();
        using TarWriter writer = new(archive, Format, leaveOpen: true);
        for (int i = 0; i < Entries; i++)
        {
            string name = $"usr/share/package-{i / 100}/file-{i}";
            TarEntry entry = Format switch
            {
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
                _ => new GnuTarEntry(TarEntryType.RegularFile, name),
            };
            entry.DataStream = new MemoryStream(new byte[100]);
            writer.WriteEntry(entry);
        }

        _archive = archive.ToArray();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Entries)]
    public int Ours()
    {
        using MemoryStream archive = new(_archive);
        OciTool.Storage.Tar.TarReader reader = new(archive);
        int entries = 0;
        while (reader.Next())
        {
            entries++;
        }

        return entries;
    }

    [Benchmark(OperationsPerInvoke = Entries)]
    public int DotNets()
    {
        using MemoryStream archive = new(_archive);
        using System.Formats.Tar.TarReader reader = new(archive, leaveOpen: true);
        int entries = 0;
        while (reader.GetNextEntry() is not null)
        {
            entries++;
        }

        return entries;
    }
}
