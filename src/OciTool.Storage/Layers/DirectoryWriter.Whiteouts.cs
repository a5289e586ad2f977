using System.Text;
using OciTool.Linux;

namespace OciTool.Storage.Layers;

internal sealed partial class DirectoryWriter
{
    /// <summary>Makes the whiteouts and describes the directories: the layer is complete.</summary>
    /// <exception cref="LayerException">Something cannot be written.</exception>
    public void Finish()
    {
        _parent?.Dispose();
        _parent = null;
        foreach (byte[] path in _layer.Whiteouts.Opaque)
        {
            Errno errno = MakeWay(path.AsSpan(0, path.Length - 1), followLinks: false, out DirectoryDescriptor? directory);
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
            Describe(_directories[i]);
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
        Errno errno = MakeWay(path.AsSpan(0, Math.Max(slash, 0)), followLinks: false, out DirectoryDescriptor? parent);
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
                SetOrigin(path.AsSpan(0, Math.Max(slash, 0)));
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

    /// <summary>
    /// Makes overlayfs look for whiteouts in a directory also where no other layer has it: it lists them as files that
    /// are not there otherwise. An empty origin says "copied up from somewhere".
    /// </summary>
    private void SetOrigin(ReadOnlySpan<byte> path)
    {
        byte[] terminated = path.IsEmpty ? [(byte)'.', 0] : [.. path, 0];
        Errno errno = _root.OpenDirectoryFile(terminated, LinkRule.Refuse, out OpenedFile directory);
        using (directory)
        {
            Demand(terminated, errno);
            errno = directory.SetXattr("trusted.overlay.origin\0"u8, []);
            Demand(terminated, errno == Errno.EPERM ? directory.SetXattr("user.overlay.origin\0"u8, []) : errno);
        }
    }

    private void SetOpaque(byte[] path)
    {
        Errno errno = _root.OpenDirectoryFile(path, LinkRule.Refuse, out OpenedFile directory);
        using (directory)
        {
            Demand(path, errno);
            errno = directory.SetXattr("trusted.overlay.opaque\0"u8, "y"u8);
            Demand(path, errno == Errno.EPERM ? directory.SetXattr("user.overlay.opaque\0"u8, "y"u8) : errno);
        }

        _opaque.Add(Encoding.Latin1.GetString(path.AsSpan(0, path.Length - 1)));
    }

    private static void Demand(ReadOnlySpan<byte> path, Errno errno)
    {
        if (errno != Errno.None)
        {
            throw new LayerException(path[..^1], ErrnoException.Describe(errno), offset: -1, new ErrnoException("write", null, errno));
        }
    }
}
