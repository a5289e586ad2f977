using System.Globalization;
using OciTool.Images;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Lists of processors such as <c>0-2,7</c>.</summary>
internal static class ProcessorList
{
    private const int Most = 8192;

    /// <summary>A bit for each processor, the first in the lowest bit of the first byte; empty for no list.</summary>
    /// <exception cref="OciException">It is no such list.</exception>
    public static byte[] Parse(string? list)
    {
        if (string.IsNullOrEmpty(list))
        {
            return [];
        }

        byte[] mask = new byte[Most / 8];
        foreach (string range in list.Split(','))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2
                || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
                || last < first || last >= Most)
            {
                throw new OciException($"execCPUAffinity: '{Printable.Shorten(list)}' is not a list of processors");
            }

            for (int i = first; i <= last; i++)
            {
                mask[i / 8] |= (byte)(1 << (i % 8));
            }
        }

        return mask;
    }
}
