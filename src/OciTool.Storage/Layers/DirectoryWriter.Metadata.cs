using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

internal sealed partial class DirectoryWriter
{
    private void Describe(DirectoryDescription description)
    {
        byte[] path = description.Path.Length == 0
            ? [(byte)'.', 0]
            : [.. Encoding.Latin1.GetBytes(description.Path), 0];
        Errno errno = _root.OpenDirectoryFile(path, LinkRule.Refuse, out OpenedFile directory);
        using (directory)
        {
            if (errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
            {
                return; // a later entry of the layer took its place
            }

            Demand(path, errno);
            SetOwner(directory, description.Uid, description.Gid);
            SetXattrs(directory, description.Xattrs);
            Demand(path, directory.SetMode(description.Mode));
            SetTimes(directory, description.Modified);
        }
    }

    /// <summary>Describes a link, device or FIFO that was just made: opening it could act on something else.</summary>
    private void Describe(DirectoryDescriptor parent)
    {
        if (_privileged)
        {
            DemandOwner(parent.SetOwner(Path.Name, (uint)Entry.Uid, (uint)Entry.Gid));
        }

        if (Entry.Kind != TarEntryKind.SymbolicLink)
        {
            Demand(parent.SetMode(Path.Name, Entry.Mode), "cannot set the mode");
            if (Entry.Xattrs.Count > 0)
            {
                _warnings.Add(Entry.Name, "extended attributes of a device or fifo are left out");
            }
        }

        SetTimes(parent);
    }

    /// <summary>Describes a file once more, by its other name: the last header counts, as in Go's readers.</summary>
    private void DescribeLinked(DirectoryDescriptor parent)
    {
        Demand(parent.Look(Path.Name, out FileStatus status), "cannot look at it");
        if (status.IsSymbolicLink)
        {
            return; // CVE-2021-32760: what the link points to is not meant
        }

        // a change of owner clears capabilities that the file got by its first name
        bool sameOwner = !_privileged || (status.Owner == Entry.Uid && status.Group == Entry.Gid);
        if (!sameOwner)
        {
            DemandOwner(parent.SetOwner(Path.Name, (uint)Entry.Uid, (uint)Entry.Gid));
        }

        if (!sameOwner || status.Mode != Entry.Mode)
        {
            Demand(parent.SetMode(Path.Name, Entry.Mode), "cannot set the mode");
        }

        if (Entry.Xattrs.Count > 0 && status.IsRegularFile)
        {
            Errno errno = parent.OpenRegularFile(Path.Name, out OpenedFile file);
            using (file)
            {
                Demand(errno, "cannot open it");
                SetXattrs(file, Entry.Xattrs);
            }
        }

        SetTimes(parent);
    }

    private void SetOwner(OpenedFile file, uint uid, uint gid)
    {
        if (_privileged)
        {
            DemandOwner(file.SetOwner(uid, gid));
        }
    }

    private void SetXattrs(OpenedFile file, IReadOnlyList<TarXattr> xattrs)
    {
        for (int i = 0; i < xattrs.Count; i++)
        {
            Errno errno = file.SetXattr(xattrs[i].Name, xattrs[i].Value);
            if (errno == Errno.EOPNOTSUPP || (errno == Errno.EPERM && !_privileged))
            {
                string name = Printable.Escape(xattrs[i].Name.AsSpan(0, xattrs[i].Name.Length - 1));
                _warnings.Add($"extended attribute {name} is left out: {ErrnoException.Describe(errno)}");
            }
            else
            {
                Demand(errno, "cannot set an extended attribute");
            }
        }
    }

    // file systems round times to what they can keep; where one refuses instead, the epoch has to do

    private static void SetTimes(OpenedFile file, FileTime time)
    {
        if (file.SetTimes(time) == Errno.EINVAL)
        {
            _ = file.SetTimes(default);
        }
    }

    private void SetTimes(DirectoryDescriptor parent)
    {
        if (parent.SetTimes(Path.Name, Entry.Modified) == Errno.EINVAL)
        {
            _ = parent.SetTimes(Path.Name, default);
        }
    }

    private void DemandOwner(Errno errno)
    {
        if (errno == Errno.EINVAL)
        {
            throw _layer.Refused("its owner or group is not mapped in this user namespace");
        }

        Demand(errno, "cannot set the owner");
    }
}
