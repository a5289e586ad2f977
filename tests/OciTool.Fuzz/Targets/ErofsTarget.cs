using System.Text;
using OciTool.Images;
using OciTool.Storage.Erofs;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;
using OciTool.Tests.Layers.Model;

namespace OciTool.Fuzz.Targets;

/// <summary>A layer's way into an EROFS image: a sound image with the tree that the model makes of the same entries.</summary>
internal sealed class ErofsTarget : IFuzzTarget
{
    private const long MostContent = 1024 * 1024;

    private static readonly string Image = Path.Join(
        Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"oci-fuzz-{Environment.ProcessId}.erofs");

    /// <summary>What an image cannot hold, or a kernel would not open: the model knows no such bounds.</summary>
    private static readonly string[] Bounds =
    [
        "File name too long", "extended attribute", "Numerical result out of range", "components", "larger than an EROFS",
    ];

    public string Name => "erofs";

    public string Corpus => "tar";

    public void Run(byte[] input)
    {
        if (Entries(input) is not { } entries)
        {
            return; // refused before anything is written, which is the tar reader's and the layer reader's business
        }

        FileNode? expected = Model(entries);
        string? refusal = Write(input, out byte[] image);
        if (refusal is not null)
        {
            FuzzTargets.Demand(
                expected is null || Array.Exists(Bounds, bound => refusal.Contains(bound, StringComparison.Ordinal)), $"refused: {refusal}\n{Shrinking.Describe([entries])}");
            return;
        }

        FuzzTargets.Demand(expected is not null, $"not refused\n{Shrinking.Describe([entries])}");
        FileNode actual = ErofsImage.Read(image);
        actual.IsOpaque = expected!.IsOpaque; // said beside the image
        string difference = TreeText.Difference(TreeText.Of(expected, overlay: true), TreeText.Of(actual, overlay: true));
        FuzzTargets.Demand(difference.Length == 0, $"{Shrinking.Describe([entries])}{difference}");
    }

    private static FileNode? Model(List<LayerEntry> entries)
    {
        try
        {
            return LayerModel.Apply(entries);
        }
        catch (RefusedException)
        {
            return null;
        }
    }

    private static string? Write(byte[] input, out byte[] image)
    {
        image = [];
        File.Delete(Image);
        try
        {
            LayerReader layer = Open(input);
            using (ErofsWriter writer = new(Image, layer, new Warnings(_ => { })))
            {
                while (layer.Next())
                {
                    writer.Write();
                }

                writer.Finish();
            }

            image = File.ReadAllBytes(Image);
            return null;
        }
        catch (LayerException e)
        {
            return e.Message;
        }
        finally
        {
            File.Delete(Image);
        }
    }

    private static LayerReader Open(byte[] input) =>
        new(new TarReader(new MemoryStream(input)), new LayerLimits(), new Warnings(_ => { }));

    /// <summary>The entries as the reader gives them, in the model's words; null when it refuses one, or they are too large.</summary>
    private static List<LayerEntry>? Entries(byte[] input)
    {
        List<LayerEntry> entries = [];
        LayerReader layer = Open(input);
        try
        {
            while (layer.Next())
            {
                if (layer.ContentBytes > MostContent)
                {
                    return null;
                }

                entries.Add(Entry(layer));
            }
        }
        catch (LayerException)
        {
            return null;
        }

        entries.AddRange(layer.Whiteouts.Opaque.Select(path => new LayerEntry(Text(path.AsSpan(0, path.Length - 1)) + "/.wh..wh..opq", FileKind.File)));
        entries.AddRange(layer.Whiteouts.Hidden.Select(path => Whiteout(Text(path.AsSpan(0, path.Length - 1)))));
        if (layer.Whiteouts.OpaqueRoot)
        {
            entries.Add(new LayerEntry(".wh..wh..opq", FileKind.File));
        }

        return entries;
    }

    private static LayerEntry Whiteout(string path) =>
        new($"{path[..(path.LastIndexOf('/') + 1)]}.wh.{path[(path.LastIndexOf('/') + 1)..]}", FileKind.File);

    private static LayerEntry Entry(LayerReader layer)
    {
        TarEntry entry = layer.Entry;
        byte[] content = new byte[entry.Size];
        for (ReadOnlySpan<byte> part = layer.NextData(out long offset); !part.IsEmpty; part = layer.NextData(out offset))
        {
            part.CopyTo(content.AsSpan((int)offset));
        }

        Dictionary<string, string> xattrs = [];
        foreach (TarXattr xattr in entry.Xattrs)
        {
            xattrs[Text(xattr.Name.AsSpan(0, xattr.Name.Length - 1))] = Text(xattr.Value);
        }

        return new LayerEntry(layer.Path.IsRoot ? "." : Text(layer.Path.Bytes), Kind(entry.Kind))
        {
            Mode = entry.Mode,
            Uid = (uint)entry.Uid,
            Gid = (uint)entry.Gid,
            Modified = new Time(entry.Modified.Seconds, (int)entry.Modified.Nanoseconds),
            Content = Text(content),
            Link = Text(entry.LinkName),
            Major = (uint)entry.DeviceMajor,
            Minor = (uint)entry.DeviceMinor,
            Xattrs = xattrs,
        };
    }

    private static FileKind Kind(TarEntryKind kind) => kind switch
    {
        TarEntryKind.RegularFile => FileKind.File,
        TarEntryKind.Directory => FileKind.Directory,
        TarEntryKind.SymbolicLink => FileKind.SymbolicLink,
        TarEntryKind.HardLink => FileKind.HardLink,
        TarEntryKind.CharacterDevice => FileKind.CharacterDevice,
        TarEntryKind.BlockDevice => FileKind.BlockDevice,
        TarEntryKind.Fifo => FileKind.Fifo,
        _ => throw new WrongException($"an entry of kind {kind} was let through"),
    };

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
