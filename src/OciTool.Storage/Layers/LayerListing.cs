using System.Text;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Reads a layer into memory for somebody who looks at a few of its files and writes none.</summary>
public static class LayerListing
{
    private const long MostUncompressed = 2L << 30;

    /// <summary>Adds the entries of a layer to a tree; the layer's digest is checked at its end.</summary>
    /// <param name="content">The layer as it is transferred.</param>
    /// <param name="diffId">The digest of what is in it.</param>
    /// <param name="tree">The layers below it.</param>
    /// <exception cref="LayerException">It is damaged, or not what its digest says.</exception>
    public static void Read(Stream content, Digest diffId, MemoryTree tree)
    {
        using LayerContent uncompressed = LayerContent.Open(content, diffId, MostUncompressed);
        TarReader tar = new(uncompressed);
        tree.BeginLayer();
        while (tar.Next())
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
            if (kind is not { } known)
            {
                continue;
            }

            byte[]? bytes = known == MemoryNodeKind.Regular && tree.Wants(name, (int)entry.Mode, entry.Size) ? ReadFile(tar, entry.Size) : null;
            tree.Add(name, new MemoryNode(known, (int)entry.Mode & 0xfff, entry.Uid, entry.Gid, entry.Size)
            {
                Content = bytes,
                Target = Encoding.UTF8.GetString(entry.LinkName),
                HasCapabilities = entry.Xattrs.Exists(xattr => xattr.Name.AsSpan().SequenceEqual("security.capability\0"u8)),
                IsDevice = entry.Kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice,
            });
        }

        Digest actual = uncompressed.Finish();
        if (actual != diffId)
        {
            throw new LayerException($"its content has the digest {actual}, not {diffId}");
        }
    }

    private static byte[] ReadFile(TarReader tar, long size)
    {
        byte[] bytes = new byte[size]; // small: the tree has said that it wants it
        while (tar.NextData(out long offset) is { IsEmpty: false } part)
        {
            part.CopyTo(bytes.AsSpan((int)offset));
        }

        return bytes;
    }
}
