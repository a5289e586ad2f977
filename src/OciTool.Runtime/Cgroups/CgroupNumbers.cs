using System.Globalization;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>Reads the numbers in a group's files; a file that is not there has none.</summary>
/// <param name="files">The files.</param>
/// <param name="directory">The group.</param>
internal sealed class CgroupNumbers(IKernelFiles files, string directory)
{
    internal string Text(string file)
    {
        files.Read($"{directory}/{file}", out string text);
        return text;
    }

    internal bool Has(string file) => files.Read($"{directory}/{file}", out _) == Errno.None;

    /// <summary>A file of one number; the largest one for <c>max</c>.</summary>
    internal ulong Number(string file) => Parse(Text(file).AsSpan().Trim());

    /// <summary>The lines <c>NAME NUMBER</c> of a file.</summary>
    internal SortedDictionary<string, ulong> Table(string file)
    {
        SortedDictionary<string, ulong> table = new(StringComparer.Ordinal);
        foreach (string line in Text(file).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ') is [var name, var number])
            {
                table[name] = Parse(number);
            }
        }

        return table;
    }

    /// <summary>A list such as <c>0-3,7</c>; null where the file is empty.</summary>
    internal IReadOnlyList<ushort>? List(string file)
    {
        List<ushort> list = [];
        foreach (string range in Text(file).Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            for (ulong i = Parse(ends[0]); i <= Math.Min(Parse(ends[^1]), ushort.MaxValue); i++)
            {
                list.Add((ushort)i);
            }
        }

        return list.Count > 0 ? list : null;
    }

    /// <summary>The lines <c>some avg10=… total=…</c> of a file; null where there is none.</summary>
    internal Pressure? Pressure(string file)
    {
        string text = Text(file);
        return text.Length == 0 ? null : new() { Some = Share(text, "some "), Full = Share(text, "full ") };
    }

    internal static ulong Parse(ReadOnlySpan<char> text) =>
        text is "max" ? ulong.MaxValue
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : 0;

    private static PressureShare Share(string text, string name)
    {
        double[] averages = new double[3];
        ulong total = 0;
        foreach (string line in text.Split('\n'))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal))
            {
                continue;
            }

            foreach (string word in line.Split(' '))
            {
                string value = word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..];
                if (word.StartsWith("total=", StringComparison.Ordinal))
                {
                    total = Parse(value);
                }
                else if (Array.IndexOf(["avg10", "avg60", "avg300"], word[..Math.Max(0, word.Length - value.Length - 1)]) is >= 0 and var i
                    && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double average))
                {
                    averages[i] = average;
                }
            }
        }

        return new() { Avg10 = averages[0], Avg60 = averages[1], Avg300 = averages[2], Total = total };
    }
}
