using System.Text;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Fuzz.Targets;

/// <summary>The tar reader: the same entries however the bytes come, or one clear error; little memory.</summary>
internal sealed class TarTarget : IFuzzTarget
{
    private const long FixedMemory = 4 * 1024 * 1024;
    private const int MemoryPerByte = 64;

    public string Name => "tar";

    public string Corpus => "tar";

    public void Run(byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        string whole = Read(input, new MemoryStream(input));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        FuzzTargets.Demand(allocated <= FixedMemory + ((long)MemoryPerByte * input.Length), $"{allocated} bytes of memory for {input.Length} of input");
        string parts = Read(input, new DribblingStream(input));
        FuzzTargets.Demand(whole == parts, $"read at once:\n{whole}read in parts:\n{parts}");
    }

    /// <summary>What the reader says, a line an entry, the error last.</summary>
    private static string Read(byte[] input, Stream stream)
    {
        StringBuilder text = new();
        TarReader tar = new(stream);
        try
        {
            long last = -1;
            while (tar.Next())
            {
                TarEntry entry = tar.Entry;
                FuzzTargets.Demand(entry.Offset > last && entry.Offset % 512 == 0 && entry.Offset < input.Length, $"offset {entry.Offset} behind {last}");
                last = entry.Offset;
                FuzzTargets.Demand(entry.Mode <= 0xfff, $"mode {entry.Mode:x}");
                FuzzTargets.Demand(!entry.Name.Contains((byte)0) && !entry.LinkName.Contains((byte)0), "a NUL in a name");
                FuzzTargets.Demand(entry.Modified.Nanoseconds < 1_000_000_000, $"{entry.Modified}");
                FuzzTargets.Demand(entry.Size >= 0 && (entry.Size == 0 || entry.Kind is TarEntryKind.RegularFile or TarEntryKind.Other), $"a {entry.Kind} of {entry.Size} bytes");
                text.Append($"{entry.Offset} {entry.Kind} {entry.TypeFlag} {Convert.ToHexString(entry.Name)} {Convert.ToHexString(entry.LinkName)} {entry.Mode} ")
                    .Append($"{entry.Uid}:{entry.Gid} {entry.Size} {entry.IsSparse} {entry.Modified} {entry.DeviceMajor}:{entry.DeviceMinor}");
                foreach (TarXattr xattr in entry.Xattrs)
                {
                    FuzzTargets.Demand(xattr.Name is [.., 0] && xattr.Name.AsSpan().IndexOf((byte)0) == xattr.Name.Length - 1, "the name of an attribute does not end with its NUL");
                    text.Append($" {Convert.ToHexString(xattr.Name)}={Convert.ToHexString(xattr.Value)}");
                }

                text.Append($" {Data(tar)}\n");
                FuzzTargets.Demand(tar.Position <= input.Length, $"position {tar.Position} of {input.Length}");
            }
        }
        catch (LayerException e)
        {
            text.Append($"{e.Offset} {e.Message}\n");
        }

        return text.ToString();
    }

    /// <summary>A sum of the data, with their places.</summary>
    private static ulong Data(TarReader tar)
    {
        ulong sum = 14695981039346656037; // FNV-1a
        long end = 0;
        long given = 0;
        for (ReadOnlySpan<byte> part = tar.NextData(out long offset); !part.IsEmpty; part = tar.NextData(out offset))
        {
            FuzzTargets.Demand(offset >= end && offset + part.Length <= tar.Entry.Size, $"data at {offset}+{part.Length} behind {end} of {tar.Entry.Size}");
            FuzzTargets.Demand(tar.Entry.IsSparse || offset == end, $"data at {offset}, not at {end}");
            if (offset > end)
            {
                sum = (sum ^ (ulong)offset) * 1099511628211;
            }

            end = offset + part.Length;
            given += part.Length;
            foreach (byte value in part)
            {
                sum = (sum ^ value) * 1099511628211;
            }
        }

        FuzzTargets.Demand(tar.Entry.IsSparse || given == tar.Entry.Size, $"{given} bytes of {tar.Entry.Size}");
        return sum;
    }
}
