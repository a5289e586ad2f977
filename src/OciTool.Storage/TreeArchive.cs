using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Storage;

/// <summary>Writes a directory tree as a tar archive: as it is, or what overlayfs has of it as a layer of an image.</summary>
/// <param name="output">Where to; it stays open.</param>
/// <param name="warn">Told what cannot be archived; names are escaped.</param>
/// <param name="latest">The latest time that an entry may have, in seconds since 1970; null for no limit.</param>
public sealed class TreeArchive(Stream output, Action<string> warn, long? latest)
{
    private const int BufferSize = 256 << 10;

    private readonly TarWriter _tar = new(output);
    private readonly Dictionary<FileIdentity, byte[]> _linked = [];
    private readonly byte[] _buffer = new byte[BufferSize];

    /// <summary>Writes all of a tree but its root.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="withRoot">Whether the root has an entry, <c>./</c>.</param>
    /// <exception cref="IOException">The tree cannot be read, or the output not be written.</exception>
    public void WriteTree(RootDirectory tree, bool withRoot)
    {
        TreeWalk.Visit(tree, node =>
        {
            if (node.Path.Length > 0 || withRoot)
            {
                Add(node, KeptXattrs(node.ReadXattrs()));
            }
        });
        _tar.Finish();
    }

    /// <summary>Writes the upper directory of an overlay as a layer: what it hides becomes whiteouts (image-spec, layer.md).</summary>
    /// <param name="upper">The upper directory.</param>
    /// <param name="withRoot">Whether the root has an entry, <c>./</c>, because the layer changes it.</param>
    /// <exception cref="OciException">The kernel has kept a change in a form that no layer has.</exception>
    /// <exception cref="IOException">The tree cannot be read, or the output not be written.</exception>
    public void WriteLayer(RootDirectory upper, bool withRoot)
    {
        TreeWalk.Visit(upper, node => AddChange(node, withRoot));
        _tar.Finish();
    }

    private void AddChange(TreeNode node, bool withRoot)
    {
        ReadOnlySpan<byte> name = node.Path.AsSpan(node.Path.AsSpan().LastIndexOf((byte)'/') + 1);
        if (node.IsWhiteout)
        {
            AddWhiteout([.. node.Path.AsSpan(0, node.Path.Length - name.Length), .. ".wh."u8, .. name]);
            return;
        }

        if (name.StartsWith(".wh."u8))
        {
            warn($"'{Printable.Escape(node.Text)}' is left out: in a layer its name would hide another one");
            node.IsPruned = true;
            return;
        }

        IReadOnlyList<(byte[] Name, byte[] Value)> xattrs = node.ReadXattrs();
        bool isOpaque = false;
        foreach ((byte[] key, byte[] value) in xattrs)
        {
            ReadOnlySpan<byte> overlay = key.AsSpan().StartsWith("trusted.overlay."u8) ? key.AsSpan("trusted.overlay.".Length)
                : key.AsSpan().StartsWith("user.overlay."u8) ? key.AsSpan("user.overlay.".Length)
                : [];
            isOpaque |= overlay.SequenceEqual("opaque"u8) && value is [(byte)'y'];
            if (overlay.SequenceEqual("redirect"u8) || overlay.SequenceEqual("metacopy"u8))
            {
                throw new OciException($"cannot make a layer of '{Printable.Escape(node.Text)}': overlayfs keeps it as a reference to another place")
                {
                    Hint = "switch off redirect_dir and metacopy of the kernel's module overlay, or use --squash",
                };
            }
        }

        if (node.Path.Length > 0 || withRoot)
        {
            Add(node, KeptXattrs(xattrs));
        }

        if (isOpaque)
        {
            AddWhiteout(node.Path.Length == 0 ? ".wh..wh..opq"u8.ToArray() : [.. node.Path, .. "/.wh..wh..opq"u8]);
        }
    }

    private void AddWhiteout(byte[] path) => _tar.Add(new TarOutputEntry(path, '0'));

    // what a layer may carry; the rest belongs to the host
    private static List<(byte[] Name, byte[] Value)> KeptXattrs(IReadOnlyList<(byte[] Name, byte[] Value)> xattrs) =>
        [.. xattrs.Where(xattr => XattrPolicy.IsKept(xattr.Name))];

    private void Add(TreeNode node, List<(byte[] Name, byte[] Value)> xattrs)
    {
        FileStatus status = node.Status;
        char? type = status.IsRegularFile ? '0'
            : status.IsSymbolicLink ? '2'
            : node.IsCharacterDevice ? '3'
            : node.IsBlockDevice ? '4'
            : status.IsDirectory ? '5'
            : node.IsFifo ? '6'
            : null;
        if (type is null)
        {
            return; // a socket: nobody listens to it in another container
        }

        TarOutputEntry entry = new(node.Path.Length == 0 ? "."u8.ToArray() : node.Path, type.Value)
        {
            Mode = status.Mode,
            Uid = status.Owner,
            Gid = status.Group,
            Size = status.IsRegularFile ? node.Size : 0,
            Modified = Math.Min(node.Modified.Seconds, latest ?? long.MaxValue),
            Link = status.IsSymbolicLink ? node.ReadLink() : [],
            Device = type is '3' or '4' ? node.Device : default,
            Xattrs = xattrs,
        };
        if (!status.IsDirectory && node.Links > 1 && !_linked.TryAdd(node.Identity, node.Path))
        {
            _tar.Add(entry with { Type = '1', Size = 0, Link = _linked[node.Identity], Device = default, Xattrs = [] });
            return;
        }

        if (!status.IsRegularFile)
        {
            _tar.Add(entry);
            return;
        }

        using Microsoft.Win32.SafeHandles.SafeFileHandle file = node.OpenFile();
        _tar.Add(entry);
        Copy(file, node.Size);
    }

    // the header has said how much there is: what a process of the container cuts off meanwhile becomes zeros
    private void Copy(Microsoft.Win32.SafeHandles.SafeFileHandle file, long size)
    {
        for (long offset = 0; offset < size;)
        {
            int wanted = (int)Math.Min(_buffer.Length, size - offset);
            int read = RandomAccess.Read(file, _buffer.AsSpan(0, wanted), offset);
            if (read == 0)
            {
                _buffer.AsSpan(0, wanted).Clear();
                read = wanted;
            }

            _tar.Write(_buffer.AsSpan(0, read));
            offset += read;
        }

        _tar.Pad();
    }
}
