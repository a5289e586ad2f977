using System.Text;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Reads a layer for somebody who looks at a few of its files and writes none; what is not asked for is not read.</summary>
public sealed class LayerEntries : ILayerEntries
{
    private const long MostUncompressed = 4L << 30;

    private readonly string _name;
    private readonly Digest _diffId;
    private readonly CountedContent _content;
    private readonly long _size;
    private LayerContent? _uncompressed;
    private TarReader? _tar;

    /// <summary>Takes a layer; it is disposed with this.</summary>
    /// <param name="content">The layer as it is transferred.</param>
    /// <param name="size">Its size, in bytes.</param>
    /// <param name="diffId">The digest of what is in it.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="passed">Is told of bytes that were read; it may throw.</param>
    /// <param name="stop">Lets a read of the content that waits fail.</param>
    public LayerEntries(Stream content, long size, Digest diffId, string name, Action<int> passed, Action stop)
    {
        (_size, _diffId, _name) = (size, diffId, name);
        _content = new CountedContent(content, passed, stop);
    }

    /// <inheritdoc/>
    public long Rest => Math.Max(0, _size - _content.Count);

    /// <summary>What is wrong with the layer, as far as it was read; null for nothing.</summary>
    public string? Damage { get; private set; }

    /// <inheritdoc/>
    public (string Name, MemoryNode Node)? Next(Func<string, int, long, int> wants)
    {
        try
        {
            _uncompressed ??= LayerContent.Open(_content, _diffId, MostUncompressed);
            _tar ??= new TarReader(_uncompressed);
            while (_tar.Next())
            {
                if (Read(_tar, wants) is { } entry)
                {
                    return entry;
                }
            }

            Digest actual = _uncompressed.Finish();
            return actual == _diffId ? null : throw new LayerException($"its content has the digest {actual}, not {_diffId}");
        }
        catch (LayerException e)
        {
            Damage = $"{_name} is damaged: {e.Message}";
            throw new UnreadableImageException(Damage, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _uncompressed?.Dispose();
        _content.Dispose();
    }

    private static (string Name, MemoryNode Node)? Read(TarReader tar, Func<string, int, long, int> wants)
    {
        TarEntry entry = tar.Entry;
        string name = Encoding.UTF8.GetString(entry.Name);
        MemoryNodeKind? kind = entry.Kind switch
        {
            TarEntryKind.RegularFile => MemoryNodeKind.Regular,
            TarEntryKind.Directory => MemoryNodeKind.Directory,
            TarEntryKind.SymbolicLink => MemoryNodeKind.Link,
            TarEntryKind.HardLink => MemoryNodeKind.HardLink,
            TarEntryKind.Other => null,
            _ => MemoryNodeKind.Special,
        };
        return kind is not { } known ? null : (name, new MemoryNode(known, (int)entry.Mode & 0xfff, entry.Uid, entry.Gid, entry.Size)
        {
            Content = known == MemoryNodeKind.Regular ? ReadFile(tar, wants(name, (int)entry.Mode, entry.Size)) : default,
            Target = Encoding.UTF8.GetString(entry.LinkName),
            HasCapabilities = entry.Xattrs.Exists(xattr => xattr.Name.AsSpan().SequenceEqual("security.capability\0"u8)),
            IsDevice = entry.Kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice,
        });
    }

    private static byte[] ReadFile(TarReader tar, int kept)
    {
        byte[] bytes = new byte[kept];
        while (kept > 0 && tar.NextData(out long offset) is { IsEmpty: false } part && offset < kept)
        {
            part[..(int)Math.Min(part.Length, kept - offset)].CopyTo(bytes.AsSpan((int)offset));
        }

        return bytes;
    }

    /// <summary>Tells how much was read, and lets go of a reader that waits.</summary>
    private sealed class CountedContent(Stream content, Action<int> passed, Action stop) : ReadOnlyStream
    {
        private volatile bool _isAbandoned;
        private long _count;

        public long Count => Volatile.Read(ref _count);

        public override int Read(Span<byte> buffer)
        {
            int count = 0;
            try
            {
                count = _isAbandoned ? 0 : content.Read(buffer);
            }
            catch (Exception e) when (_isAbandoned && e is OperationCanceledException or OciException or IOException or ObjectDisposedException)
            {
                return 0; // nobody waits for it any more
            }

            Volatile.Write(ref _count, _count + count);
            passed(count);
            return count;
        }

        public override void Abandon()
        {
            _isAbandoned = true;
            stop();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                content.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
