using System.Text;

namespace OciTool.Tests.Layers.Model;

/// <summary>Makes a stack of layers that fails smaller, and says it in words.</summary>
internal static class Shrinking
{
    /// <summary>Leaves out layers and entries as long as what is left still fails.</summary>
    /// <param name="stack">A stack that fails.</param>
    /// <param name="fails">Tells whether a stack fails; stacks that are not valid are not asked about.</param>
    public static List<List<LayerEntry>> Shrink(List<List<LayerEntry>> stack, Func<List<List<LayerEntry>>, bool> fails)
    {
        bool smaller = true;
        while (smaller)
        {
            smaller = false;
            foreach (List<List<LayerEntry>> candidate in Smaller(stack))
            {
                if (candidate.TrueForAll(RandomLayers.IsValid) && fails(candidate))
                {
                    stack = candidate;
                    smaller = true;
                    break;
                }
            }
        }

        return stack;
    }

    public static string Describe(IReadOnlyList<IReadOnlyList<LayerEntry>> stack)
    {
        StringBuilder text = new();
        for (int i = 0; i < stack.Count; i++)
        {
            text.AppendLine($"layer {i + 1}/{stack.Count}");
            foreach (LayerEntry entry in stack[i])
            {
                text.AppendLine("  " + entry);
            }
        }

        return text.ToString();
    }

    private static IEnumerable<List<List<LayerEntry>>> Smaller(List<List<LayerEntry>> stack)
    {
        for (int i = 0; i < stack.Count; i++)
        {
            yield return [.. stack[..i], .. stack[(i + 1)..]];
        }

        for (int i = 0; i < stack.Count; i++)
        {
            for (int k = 0; k < stack[i].Count; k++)
            {
                yield return With(stack, i, [.. stack[i][..k], .. stack[i][(k + 1)..]]);
            }
        }

        // a plainer description: what stays odd in the report then matters
        LayerEntry plain = new("", FileKind.File);
        for (int i = 0; i < stack.Count; i++)
        {
            for (int k = 0; k < stack[i].Count; k++)
            {
                LayerEntry entry = stack[i][k];
                foreach (LayerEntry plainer in (LayerEntry[])[
                    entry with { Xattrs = plain.Xattrs }, entry with { Modified = plain.Modified },
                    entry with { Uid = 0, Gid = 0 }, entry with { Mode = entry.Kind == FileKind.Directory ? 0x1edu : plain.Mode },
                    entry with { Content = "" }])
                {
                    if (plainer.ToString() != entry.ToString())
                    {
                        yield return With(stack, i, [.. stack[i][..k], plainer, .. stack[i][(k + 1)..]]);
                    }
                }
            }
        }
    }

    private static List<List<LayerEntry>> With(List<List<LayerEntry>> stack, int index, List<LayerEntry> layer) =>
        [.. stack[..index], layer, .. stack[(index + 1)..]];
}
