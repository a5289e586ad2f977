using System.Formats.Tar;
using System.Text;
using OciTool.Tests.Layers;
using Xunit;

namespace OciTool.Tests.Tar;

/// <summary>What .NET's own writer writes is read as it was meant.</summary>
public sealed class TarWritersTests
{
    private static readonly string Deep = string.Join('/', Enumerable.Repeat("directory", 30));

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Entries_of_each_kind(TarEntryFormat format)
    {
        string name = format is TarEntryFormat.Pax or TarEntryFormat.Gnu ? Deep : format == TarEntryFormat.Ustar ? Deep[..150] : "short";
        using MemoryStream archive = new();
        using (TarWriter writer = new(archive, format, leaveOpen: true))
        {
            Write(writer, format, TarEntryType.Directory, name + "/");
            Write(writer, format, format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile, name + "/f", content: "content");
            Write(writer, format, TarEntryType.SymbolicLink, "s", link: "target");
            Write(writer, format, TarEntryType.HardLink, "h", link: "short/f");
        }

        Assert.Equal(
            [
                $"Directory {name}/ ->  750 7:8 0 1700000000.000000000 0:0 []",
                $"RegularFile {name}/f ->  750 7:8 7 1700000000.000000000 0:0 [] @0:content",
                "SymbolicLink s -> target 750 7:8 0 1700000000.000000000 0:0 []",
                "HardLink h -> short/f 750 7:8 0 1700000000.000000000 0:0 []",
            ],
            Listing.Of(archive.ToArray()));
    }

    [Fact]
    public void Extended_attributes_and_fractions_of_seconds()
    {
        using MemoryStream archive = new();
        using (TarWriter writer = new(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new PaxGlobalExtendedAttributesTarEntry(new Dictionary<string, string> { ["path"] = "global" }));
            PaxTarEntry entry = new(TarEntryType.RegularFile, "n\u00e4me", new Dictionary<string, string> { ["SCHILY.xattr.user.a"] = "value" })
            {
                ModificationTime = DateTimeOffset.UnixEpoch.AddTicks(15_000_001),
            };
            writer.WriteEntry(entry);
        }

        string name = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("n\u00e4me"));
        Assert.Equal([$"RegularFile {name} ->  644 0:0 0 1.500000100 0:0 [user.a=value]"], Listing.Of(archive.ToArray()));
    }

    private static void Write(TarWriter writer, TarEntryFormat format, TarEntryType type, string name, string? link = null, string? content = null)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(type, name),
            TarEntryFormat.Ustar => new UstarTarEntry(type, name),
            TarEntryFormat.Pax => new PaxTarEntry(type, name),
            _ => new GnuTarEntry(type, name),
        };
        entry.Mode = (UnixFileMode)0x1e8;
        entry.Uid = 7;
        entry.Gid = 8;
        entry.ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        if (link is not null)
        {
            entry.LinkName = link;
        }

        if (content is not null)
        {
            entry.DataStream = new MemoryStream(Encoding.ASCII.GetBytes(content));
        }

        writer.WriteEntry(entry);
    }
}
