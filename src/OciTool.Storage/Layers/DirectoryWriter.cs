using System.Text;
using OciTool.Linux;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Writes the entries of a layer below a directory.</summary>
/// <remarks>
/// Every look-up starts from a held descriptor and cannot leave the root, the last component of a path is never
/// followed, and owner, mode, attributes and times are set on what was just made. The directory of the last entry is
/// kept open, because archives go through a tree directory by directory. What describes directories is set at the end:
/// writing into a directory changes its times, and may be forbidden by its mode.
/// </remarks>
internal sealed partial class DirectoryWriter : ILayerWriter
{
    private const uint ImplicitMode = 0x1ed; // 0755
    private const uint HiddenMode = 0x1c0; // 0700 until the layer is complete

    private readonly RootDirectory _directory;
    private readonly DirectoryDescriptor _root;
    private readonly LayerReader _layer;
    private readonly Warnings _warnings;
    private readonly bool _privileged = Environment.IsPrivilegedProcess;
    private readonly Dictionary<string, int> _directoryIndex = [];
    private readonly List<DirectoryDescription> _directories = [];
    private readonly HashSet<string> _opaque = [];
    private DirectoryDescriptor? _parent;
    private NameBuffer _parentPath;
    private string _parentRealPath = "";
    private bool _parentIsStale;
    private bool _devicesWereSkipped;

    /// <summary>Starts to write.</summary>
    /// <param name="path">The directory to make; nothing may be there.</param>
    /// <param name="layer">Whose present entry <see cref="Write"/> writes.</param>
    /// <param name="warnings">Where warnings go.</param>
    /// <exception cref="IOException">The directory cannot be made.</exception>
    public DirectoryWriter(string path, LayerReader layer, Warnings warnings)
    {
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, (UnixFileMode)ImplicitMode); // whatever the umask is
        _directory = new RootDirectory(path);
        _root = DirectoryDescriptor.Of(_directory);
        _layer = layer;
        _warnings = warnings;
        RememberNew(new("", Uid: 0, Gid: 0, ImplicitMode, Modified: default, Xattrs: []));
        if (!_privileged)
        {
            _warnings.Add("owners of files are not kept without root");
        }
    }

    private TarEntry Entry => _layer.Entry;

    private EntryPath Path => _layer.Path;

    /// <inheritdoc/>
    public void Write()
    {
        if (Path.IsRoot)
        {
            _directories[0] = Description("");
            return;
        }

        DirectoryDescriptor parent = Parent();
        switch (Entry.Kind)
        {
            case TarEntryKind.RegularFile:
                WriteFile(parent);
                break;
            case TarEntryKind.Directory:
                MakeDirectory(parent);
                break;
            case TarEntryKind.HardLink:
                MakeHardLink(parent);
                break;
            default:
                MakeSpecial(parent);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _parent?.Dispose();
        _root.Dispose();
        _directory.Dispose();
    }

    private void WriteFile(DirectoryDescriptor parent)
    {
        Errno errno = parent.CreateFile(Path.Name, out OpenedFile file);
        if (errno == Errno.EEXIST)
        {
            Replace(parent);
            errno = parent.CreateFile(Path.Name, out file);
        }

        using (file)
        {
            Demand(errno, "cannot create the file");
            if (Entry.IsSparse)
            {
                Demand(file.SetLength(Entry.Size), "cannot set the size");
            }

            for (ReadOnlySpan<byte> part = _layer.NextData(out long offset); !part.IsEmpty;
                 part = _layer.NextData(out offset))
            {
                Demand(Entry.IsSparse ? file.WriteAt(part, offset) : file.Write(part), "cannot write");
            }

            // in this order: a change of owner clears set-id bits and capabilities, and the mode may forbid to set attributes
            SetOwner(file, (uint)Entry.Uid, (uint)Entry.Gid);
            SetXattrs(file, Entry.Xattrs);
            Demand(file.SetMode(Entry.Mode), "cannot set the mode");
            SetTimes(file, Entry.Modified);
        }
    }

    private void MakeDirectory(DirectoryDescriptor parent)
    {
        DirectoryDescription description = Description(RealPath());
        Errno errno = parent.MakeDirectory(Path.Name, HiddenMode);
        if (errno == Errno.EEXIST)
        {
            Demand(parent.Look(Path.Name, out FileStatus status), "cannot look at it");
            if (status.IsDirectory)
            {
                if (_directoryIndex.TryGetValue(description.Path, out int index))
                {
                    _directories[index] = description;
                }
                else
                {
                    RememberNew(description); // somebody else put it there meanwhile
                }

                return;
            }

            Replace(parent);
            errno = parent.MakeDirectory(Path.Name, HiddenMode);
        }

        Demand(errno, "cannot create the directory");
        RememberNew(description);
    }

    /// <summary>Makes a symbolic link, a FIFO or a device.</summary>
    private void MakeSpecial(DirectoryDescriptor parent)
    {
        Errno errno = TryMakeSpecial(parent);
        if (errno == Errno.EEXIST)
        {
            Replace(parent);
            errno = TryMakeSpecial(parent);
        }

        if (errno == Errno.EPERM && Entry.Kind is (TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice))
        {
            _devicesWereSkipped = true;
            _warnings.Add(Entry.Name, "device left out: it takes root to create one");
            return;
        }

        Demand(errno, "cannot create it");
        Describe(parent);
    }

    private Errno TryMakeSpecial(DirectoryDescriptor parent) => Entry.Kind switch
    {
        TarEntryKind.SymbolicLink => parent.MakeSymbolicLink((byte[])[.. Entry.LinkName, 0], Path.Name),
        TarEntryKind.Fifo => parent.MakeFifo(Path.Name),
        _ => parent.MakeDevice(Path.Name, Entry.Kind == TarEntryKind.BlockDevice,
            (uint)Entry.DeviceMajor, (uint)Entry.DeviceMinor),
    };

    private void MakeHardLink(DirectoryDescriptor parent)
    {
        EntryPath link = _layer.LinkPath;
        if (link.Bytes.SequenceEqual(Path.Bytes))
        {
            throw _layer.Refused("hard link to itself");
        }

        Errno errno = Errno.None;
        DirectoryDescriptor? opened = null;
        if (!link.Parent.IsEmpty && !link.Parent.SequenceEqual(Path.Parent))
        {
            errno = _root.Open((byte[])[.. link.Parent, 0], LinkRule.Follow, out opened);
        }

        using (opened)
        {
            DirectoryDescriptor directory = opened ?? (link.Parent.IsEmpty ? _root : parent);
            FileStatus target = default;
            errno = errno == Errno.None ? directory.Look(link.IsRoot ? ".\0"u8 : link.Name, out target) : errno;
            if (errno == Errno.None && target.IsDirectory)
            {
                throw _layer.Refused("hard link to a directory");
            }

            errno = errno == Errno.None ? parent.Link(directory, link.Name, Path.Name) : errno;
            if (errno == Errno.EEXIST)
            {
                Replace(parent);
                errno = parent.Link(directory, link.Name, Path.Name);
            }
        }

        if (errno is not (Errno.ENOENT or Errno.ENOTDIR))
        {
            Demand(errno, "cannot create the hard link");
            DescribeLinked(parent);
        }
        else if (!_devicesWereSkipped) // else it may name a device that was left out, of which the user was told
        {
            throw _layer.Refused($"hardlink target {LayerException.Quote(Entry.LinkName)} not found in this layer");
        }
    }

    /// <summary>Makes room for the present entry, whose name the layer had before.</summary>
    private void Replace(DirectoryDescriptor parent)
    {
        _warnings.Add(Entry.Name, "the layer has it more than once, the last one is kept");
        Demand(parent.RemoveTree(Path.Name), "cannot replace the earlier entry");
        _parentIsStale = true; // what was removed may have been a link on the way to the directory
    }

    /// <summary>The directory of the present entry; missing ones are made.</summary>
    private DirectoryDescriptor Parent()
    {
        ReadOnlySpan<byte> path = Path.Parent;
        if (path.IsEmpty)
        {
            return _root;
        }

        if (_parent is not null && !_parentIsStale && path.SequenceEqual(_parentPath.Span))
        {
            return _parent;
        }

        _parent?.Dispose();
        _parent = null;
        _parentPath.Set(path);
        _parentPath.Append("\0"u8);
        Errno errno = _root.Open(_parentPath.Span, LinkRule.Refuse, out _parent);
        _parentRealPath = Text(path);
        if (errno is Errno.ENOENT or Errno.ELOOP or Errno.ENOTDIR) // the last when its last component is a link
        {
            errno = MakeWay(path, followLinks: true, out _parent, out EntryPath real);
            _parentRealPath = Text(real.Bytes);
        }

        Demand(errno, "cannot enter its directory");
        _parentPath.Set(path);
        _parentIsStale = false;
        return _parent!;
    }

    /// <summary>The path of the present entry without the links on the way to it.</summary>
    private string RealPath() =>
        Path.Parent.IsEmpty || _parentRealPath.Length == 0
            ? Text(Path.Name[..^1])
            : $"{_parentRealPath}/{Text(Path.Name[..^1])}";

    private DirectoryDescription Description(string path) => new(path, (uint)Entry.Uid, (uint)Entry.Gid, Entry.Mode,
        Entry.Modified, Entry.Xattrs.Count == 0 ? [] : [.. Entry.Xattrs]);

    /// <summary>Notes how a directory that was just made is to be described; what was there before is forgotten.</summary>
    private void RememberNew(DirectoryDescription description)
    {
        _directoryIndex[description.Path] = _directories.Count;
        _directories.Add(description);
    }

    private static string Text(ReadOnlySpan<byte> path) => Encoding.Latin1.GetString(path); // one character a byte: nothing is lost

    private void Demand(Errno errno, string failure)
    {
        if (errno != Errno.None)
        {
            throw _layer.Refused($"{failure}: {ErrnoException.Describe(errno)}", new ErrnoException("write", null, errno));
        }
    }

    /// <summary>What is set on a directory at the end; there are no links in its path.</summary>
    private readonly record struct DirectoryDescription(
        string Path, uint Uid, uint Gid, uint Mode, FileTime Modified, TarXattr[] Xattrs);
}
