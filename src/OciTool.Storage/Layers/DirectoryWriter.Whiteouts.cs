using System.Text;
using OciTool.Linux;

namespace OciTool.Storage.Layers;

internal sealed partial class DirectoryWriter
{
    /// <inheritdoc/>
    public void Finish()
    {
        _parent?.Dispose();
        _parent = null;
        foreach (byte[] path in _layer.Whiteouts.Opaque)
        {
            Errno errno = MakeWay(path.AsSpan(0, path.Length - 1), followLinks: false, out DirectoryDescriptor? directory, out _);
            using (directory)
            {
                if (errno is not (Errno.ELOOP or Errno.ENOTDIR)) // as a file or link it hides lower content anyway
                {
                    Demand(path, errno);
                    SetOpaque(path);
                }
            }
        }

        foreach (byte[] path in _layer.Whiteouts.Hidden)
        {
            Hide(path);
        }

        // children before parents: without root a parent's mode may shut us out
        for (int i = _directories.Count - 1; i >= 0; i--)
        {
            if (_directoryIndex[_directories[i].Path] == i) // else that directory was replaced
            {
                Describe(_directories[i]);
            }
        }
    }

    private void Hide(byte[] path)
    {
        string text = Encoding.Latin1.GetString(path.AsSpan(0, path.Length - 1));
        if (_layer.Whiteouts.OpaqueRoot || IsBelowOpaque(text))
        {
            return; // a whiteout where no lower content is merged would be listed as a file of no substance
        }

        int slash = text.LastIndexOf('/');
        Errno errno = MakeWay(path.AsSpan(0, Math.Max(slash, 0)), followLinks: false, out DirectoryDescriptor? parent, out _);
        using (parent)
        {
            if (errno is Errno.ELOOP or Errno.ENOTDIR)
            {
                return; // its directory is none in this layer, so nothing of lower layers is seen there
            }

            Demand(path, errno);
            ReadOnlySpan<byte> name = path.AsSpan(slash + 1);
            errno = parent!.Look(name, out FileStatus status);
            if (errno == Errno.ENOENT)
            {
                Demand(path, parent.MakeDevice(name, isBlock: false, major: 0, minor: 0));
                if (slash > 0)
                {
                    Mark(path.AsSpan(0, slash), "origin\0"u8, []);
                }

                return;
            }

            Demand(path, errno);
            if (status.IsDirectory)
            {
                SetOpaque(path);
            }
        }
    }

    private bool IsBelowOpaque(string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (_opaque.Contains(path[..slash]))
            {
                return true;
            }
        }

        return false;
    }

    private void SetOpaque(byte[] path)
    {
        Mark(path.AsSpan(0, path.Length - 1), "opaque\0"u8, "y"u8);
        _opaque.Add(Encoding.Latin1.GetString(path.AsSpan(0, path.Length - 1)));
    }

    /// <summary>Sets an attribute of overlayfs on a directory.</summary>
    /// <remarks>
    /// <c>opaque</c> hides what lower layers have there. An empty <c>origin</c> says that there are whiteouts: where no
    /// lower layer has the directory, overlayfs would else list their names, which nobody can look at.
    /// </remarks>
    private void Mark(ReadOnlySpan<byte> path, ReadOnlySpan<byte> mark, ReadOnlySpan<byte> value)
    {
        byte[] terminated = [.. path, 0];
        Errno errno = _root.OpenDirectoryFile(terminated, LinkRule.Refuse, out OpenedFile directory);
        using (directory)
        {
            Demand(terminated, errno);
            errno = directory.SetXattr((byte[])[.. "trusted.overlay."u8, .. mark], value);
            Demand(terminated, errno == Errno.EPERM ? directory.SetXattr((byte[])[.. "user.overlay."u8, .. mark], value) : errno);
        }
    }

    private static void Demand(ReadOnlySpan<byte> path, Errno errno)
    {
        if (errno != Errno.None)
        {
            throw new LayerException(path[..^1], ErrnoException.Describe(errno), offset: -1, new ErrnoException("write", null, errno));
        }
    }
}
