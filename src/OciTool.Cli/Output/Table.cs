namespace OciTool.Cli.Output;

/// <summary>Rows in columns: each column at least 12 wide where another one follows, two blanks between them.</summary>
/// <remarks>What podman prints through Go's tabwriter with a minimal cell width of 12 and a padding of 2.</remarks>
internal sealed class Table
{
    private const int LeastWidth = 12;
    private const int Padding = 2;

    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="cells">Its cells, already safe to print.</param>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Prints the rows.</summary>
    /// <param name="output">Where to.</param>
    public void Write(TextWriter output)
    {
        int[] widths = new int[_rows.Count == 0 ? 0 : _rows.Max(row => row.Length)];
        foreach (string[] row in _rows)
        {
            // the last cell of a row ends no column
            for (int i = 0; i + 1 < row.Length; i++)
            {
                widths[i] = Math.Max(widths[i], Math.Max(LeastWidth, row[i].Length + Padding));
            }
        }

        foreach (string[] row in _rows)
        {
            for (int i = 0; i + 1 < row.Length; i++)
            {
                output.Write(row[i].PadRight(widths[i]));
            }

            output.Write(row.Length == 0 ? "" : row[^1]);
            output.Write('\n');
        }
    }
}
