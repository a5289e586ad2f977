using System.Text;
using OciTool.Images.Compatibility;

namespace OciTool.Tests.Images.Compatibility;

/// <summary>A layer whose entries are in memory, and which tells how many of them were read.</summary>
internal sealed class FakeLayer
{
    private readonly List<(string Name, MemoryNode Node)> _entries = [];

    /// <summary>How many entries somebody has taken.</summary>
    public int Taken { get; private set; }

    /// <summary>How many bytes of the transfer each entry stands for.</summary>
    public long BytesOfEach { get; set; } = 1 << 20;

    /// <summary>Whether it may be read.</summary>
    public bool IsOutOfReach { get; set; }

    public FakeLayer Add(string name, MemoryNode node)
    {
        _entries.Add((name, node));
        return this;
    }

    public FakeLayer File(string name, string content) => Add(
        name, new MemoryNode(MemoryNodeKind.Regular, 0x1ed, 0, 0, content.Length) { Content = Encoding.UTF8.GetBytes(content) });

    public FakeLayer Link(string name, string target) => Add(name, new MemoryNode(MemoryNodeKind.Link, 0x1ff, 0, 0, 0) { Target = target });

    public ILayerEntries Open() => IsOutOfReach ? throw new UnreadableImageException("out of reach") : new Entries(this);

    private sealed class Entries(FakeLayer layer) : ILayerEntries
    {
        private int _next;

        public long Rest => (layer._entries.Count - _next) * layer.BytesOfEach;

        public (string Name, MemoryNode Node)? Next(Func<string, int, long, int> wants)
        {
            if (_next == layer._entries.Count)
            {
                return null;
            }

            (string name, MemoryNode node) = layer._entries[_next++];
            layer.Taken = Math.Max(layer.Taken, _next);
            return (name, node.Kind == MemoryNodeKind.Regular ? node with { Content = node.Content[..Math.Min(node.Content.Length, wants(name, node.Mode, node.Size))] } : node);
        }

        public void Dispose()
        {
        }
    }
}
