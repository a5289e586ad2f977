using System.Buffers.Binary;
using OciTool.Images;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Which extended attributes of a layer reach the disk.</summary>
/// <remarks>
/// <c>security.capability</c> and <c>user.*</c>. Attributes of overlayfs could redirect a directory to any other of the
/// host's lower directories, those of containers' storage drivers override owners, and labels belong to this host.
/// </remarks>
internal static class XattrPolicy
{
    private const int MaxValueSize = 65536; // XATTR_SIZE_MAX

    /// <summary>Removes what may not be set from an entry.</summary>
    /// <exception cref="LayerException">An attribute has no name, or a value that no file system takes.</exception>
    public static void Apply(TarEntry entry, Warnings warnings)
    {
        for (int i = entry.Xattrs.Count - 1; i >= 0; i--)
        {
            TarXattr xattr = entry.Xattrs[i];
            ReadOnlySpan<byte> name = xattr.Name.AsSpan(0, xattr.Name.Length - 1);
            if (name.IsEmpty)
            {
                throw new LayerException(entry.Name, "extended attribute without a name", entry.Offset);
            }

            bool reserved = IsReserved(name);
            bool allowed = IsKept(name);
            if (reserved)
            {
                warnings.Add($"extended attribute {Printable.Escape(name)} is not taken from a layer");
            }
            else if (allowed && entry.Kind == TarEntryKind.SymbolicLink)
            {
                warnings.Add(entry.Name, $"extended attribute {Printable.Escape(name)} cannot be set on a symbolic link");
                allowed = false;
            }

            if (!allowed)
            {
                entry.Xattrs.RemoveAt(i);
            }
            else if (name.SequenceEqual("security.capability"u8) && !IsCapability(xattr.Value))
            {
                throw new LayerException(entry.Name, "security.capability is not a file capability", entry.Offset);
            }
            else if (xattr.Value.Length > MaxValueSize)
            {
                throw new LayerException(entry.Name,
                    $"extended attribute {Printable.Escape(name)} has {xattr.Value.Length} bytes, at most {MaxValueSize} are possible",
                    entry.Offset);
            }
        }
    }

    /// <summary>Whether an attribute is one of those that layers carry.</summary>
    /// <param name="name">Its name, without NUL.</param>
    public static bool IsKept(ReadOnlySpan<byte> name) =>
        !IsReserved(name) && (name.SequenceEqual("security.capability"u8) || name.StartsWith("user."u8));

    private static bool IsReserved(ReadOnlySpan<byte> name) => name.StartsWith("trusted.overlay."u8)
        || name.StartsWith("user.overlay."u8) || name.StartsWith("user.containers."u8);

    /// <summary>Whether the kernel would take a value (capability.h, vfs_ns_cap_data): revision 2, or 3 with its root's ID.</summary>
    /// <remarks>A file system image is not asked by the kernel, and a program with such a value could not be started.</remarks>
    private static bool IsCapability(ReadOnlySpan<byte> value)
    {
        const uint Effective = 1;
        if (value.Length < sizeof(uint))
        {
            return false;
        }

        return (BinaryPrimitives.ReadUInt32LittleEndian(value) & ~Effective, value.Length) is (0x02000000, 20) or (0x03000000, 24);
    }
}
