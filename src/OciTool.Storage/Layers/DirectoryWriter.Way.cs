using OciTool.Linux;

namespace OciTool.Storage.Layers;

internal sealed partial class DirectoryWriter
{
    private const int MostLinks = 40; // the kernel's own limit

    /// <summary>Opens a directory, and makes what is missing of its path, also where a dangling link leads.</summary>
    /// <remarks><c>done</c> becomes its path without links.</remarks>
    private Errno MakeWay(ReadOnlySpan<byte> path, bool followLinks, out DirectoryDescriptor? directory, out EntryPath done)
    {
        done = new();
        byte[] rest = path.ToArray();
        int links = 0;
        directory = null;
        while (rest.Length > 0)
        {
            int end = rest.AsSpan().IndexOf((byte)'/');
            byte[] name = [.. end < 0 ? rest : rest.AsSpan(0, end), 0];
            rest = end < 0 ? [] : rest[(end + 1)..];
            Errno errno = Errno.None;
            ReadOnlySpan<byte> target = [];
            if (name is not ([0] or [(byte)'.', 0] or [(byte)'.', (byte)'.', 0]))
            {
                errno = Step(done, name, followLinks, out target);
            }

            if (errno == Errno.None && !target.IsEmpty)
            {
                errno = ++links > MostLinks ? Errno.ELOOP : Errno.None;
                rest = [.. target, (byte)'/', .. rest];
                done.Set(target[0] == (byte)'/' ? [] : [.. done.Bytes]);
            }
            else if (errno == Errno.None)
            {
                done = Below(done, name);
            }

            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return OpenExact(done, out directory);
    }

    /// <summary>Makes sure that a name is a directory, or says where it leads to as a link.</summary>
    private Errno Step(EntryPath done, byte[] name, bool followLinks, out ReadOnlySpan<byte> target)
    {
        target = [];
        Errno errno = OpenExact(done, out DirectoryDescriptor? parent);
        using (parent)
        {
            if (errno != Errno.None)
            {
                return errno;
            }

            errno = parent!.Look(name, out FileStatus status);
            if (errno == Errno.ENOENT)
            {
                RememberNew(new(Text(Below(done, name).Bytes), Uid: 0, Gid: 0, ImplicitMode, Modified: default, Xattrs: []));
                return parent.MakeDirectory(name, HiddenMode);
            }

            if (errno != Errno.None || status.IsDirectory)
            {
                return errno;
            }

            if (!status.IsSymbolicLink || !followLinks)
            {
                return status.IsSymbolicLink ? Errno.ELOOP : Errno.ENOTDIR;
            }

            byte[] buffer = new byte[4096]; // PATH_MAX: no link is longer
            errno = parent.ReadLink(name, buffer, out int length);
            target = buffer.AsSpan(0, Math.Max(length, 0));
            return errno;
        }
    }

    private static EntryPath Below(EntryPath path, byte[] name)
    {
        EntryPath below = new();
        below.Set([.. path.Bytes, (byte)'/', .. name.AsSpan(0, name.Length - 1)]);
        return below;
    }

    private Errno OpenExact(EntryPath path, out DirectoryDescriptor? directory) =>
        _root.Open(path.IsRoot ? ".\0"u8 : path.Terminated, LinkRule.Refuse, out directory);
}
