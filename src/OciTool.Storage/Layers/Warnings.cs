namespace OciTool.Storage.Layers;

/// <summary>The warnings of one layer: each is given once, and a hostile layer cannot flood the terminal.</summary>
/// <param name="warn">Takes a line for the user.</param>
internal sealed class Warnings(Action<string> warn)
{
    private const int Most = 20;

    private readonly HashSet<string> _given = [];

    public void Add(string warning)
    {
        if (_given.Count <= Most && _given.Add(warning))
        {
            warn(_given.Count <= Most ? warning : "further warnings about this layer are not shown");
        }
    }

    public void Add(ReadOnlySpan<byte> entry, string warning)
    {
        if (_given.Count <= Most)
        {
            Add($"entry {LayerException.Quote(entry)}: {warning}");
        }
    }
}
