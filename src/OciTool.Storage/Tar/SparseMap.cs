namespace OciTool.Storage.Tar;

/// <summary>A run of data in a sparse file.</summary>
/// <param name="Offset">Where it lies in the file, in bytes.</param>
/// <param name="Length">How long it is, in bytes.</param>
internal readonly record struct SparseRun(long Offset, long Length)
{
    public long End => Offset + Length;
}

/// <summary>Where the data of a sparse file lie; everything else is a hole.</summary>
internal static class SparseMap
{
    /// <summary>Whether the runs are in order, do not overlap, fit the file and have as many bytes as are stored.</summary>
    public static bool IsValid(List<SparseRun> runs, long fileSize, long storedSize)
    {
        long end = 0;
        long sum = 0;
        foreach (SparseRun run in runs)
        {
            if (run.Offset < end || run.Length < 0 || run.Offset > long.MaxValue - run.Length || run.End > fileSize)
            {
                return false;
            }

            end = run.End;
            sum += run.Length;
        }

        return fileSize >= 0 && sum == storedSize;
    }

    /// <summary>Reads the runs of one block of the old GNU format, each of two numbers of twelve bytes.</summary>
    /// <returns>False when a number is none.</returns>
    public static bool TryReadBlock(ReadOnlySpan<byte> block, List<SparseRun> runs)
    {
        for (; block.Length >= 24 && block[0] != 0; block = block[24..])
        {
            if (!TarNumber.TryParse(block[..12], out long offset)
                || !TarNumber.TryParse(block[12..24], out long length))
            {
                return false;
            }

            runs.Add(new(offset, length));
        }

        return true;
    }

    /// <summary>Reads the map of format 0.1: numbers with commas between them, offset and length in turns.</summary>
    /// <returns>False when a number is none or the last has no length.</returns>
    public static bool TryReadList(ReadOnlySpan<byte> text, List<SparseRun> runs)
    {
        long? offset = null;
        foreach (Range part in text.Split((byte)','))
        {
            if (!TarNumber.TryParseDecimal(text[part], out long number))
            {
                return text.IsEmpty;
            }

            if (offset is { } start)
            {
                runs.Add(new(start, number));
            }

            offset = offset is null ? number : null;
        }

        return offset is null;
    }
}
