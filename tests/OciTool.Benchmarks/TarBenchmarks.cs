using System.Formats.Tar;
using BenchmarkDotNet.Attributes;

namespace OciTool.Benchmarks;

/// <summary>Reading the headers of an archive of small files; .NET's reader beside ours.</summary>
[MemoryDiagnoser]
public class TarBenchmarks
{
    private const int Entries = 10_000;

    private readonly MemoryStream _archive = new();

    [Params(TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu)]
    public TarEntryFormat Format { get; set; }

    [GlobalSetup]
    public void MakeArchive()
    {
        _archive.SetLength(0);
        using TarWriter writer = new(_archive, Format, leaveOpen: true);
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
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Entries)]
    public int Ours()
    {
        _archive.Position = 0;
        OciTool.Storage.Tar.TarReader reader = new(_archive);
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
        _archive.Position = 0;
        using System.Formats.Tar.TarReader reader = new(_archive, leaveOpen: true);
        int entries = 0;
        while (reader.GetNextEntry() is not null)
        {
            entries++;
        }

        return entries;
    }
}
