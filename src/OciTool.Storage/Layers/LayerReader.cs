using System.Globalization;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Layers;

/// <summary>Reads the entries of a layer: what may not be is refused, whiteouts are set aside, the rest can be written.</summary>
/// <remarks>All that a layer means is decided here and in <see cref="Layers.Whiteouts"/>; a writer only makes files.</remarks>
/// <param name="tar">The layer's archive.</param>
/// <param name="limits">What it may cost.</param>
/// <param name="warnings">Where warnings go.</param>
internal sealed class LayerReader(TarReader tar, LayerLimits limits, Warnings warnings)
{
    private const long NoId = uint.MaxValue; // (uid_t)-1, which chown(2) takes for "leave it"
    private const long MaxMajor = 0xfff;
    private const long MaxMinor = 0xfffff;

    /// <summary>The entry that <see cref="Next"/> found.</summary>
    public TarEntry Entry => tar.Entry;

    /// <summary>Its path.</summary>
    public EntryPath Path { get; } = new();

    /// <summary>The path of the file that a hard link names.</summary>
    public EntryPath LinkPath { get; } = new();

    /// <summary>The whiteouts so far.</summary>
    public Whiteouts Whiteouts { get; } = new();

    /// <summary>How many entries the archive has so far, whiteouts included.</summary>
    public long Count { get; private set; }

    /// <summary>The sum of the sizes of regular files so far, in bytes, holes included.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>The next part of a regular file.</summary>
    /// <inheritdoc cref="TarReader.NextData(out long)"/>
    public ReadOnlySpan<byte> NextData(out long offset) => tar.NextData(out offset);

    /// <summary>Goes to the next entry that is to be written.</summary>
    /// <returns>False at the end of the archive.</returns>
    /// <exception cref="LayerException">The archive is damaged, or an entry is refused.</exception>
    public bool Next()
    {
        while (tar.Next())
        {
            if (++Count > limits.MaxEntries)
            {
                throw new LayerException($"more than {limits.MaxEntries} entries", Entry.Offset);
            }

            if (Entry.Name.IsEmpty)
            {
                throw Refused("empty name");
            }

            Path.Set(Entry.Name);
            if (Path.Depth > limits.MaxPathDepth)
            {
                throw Refused($"path of more than {limits.MaxPathDepth} components");
            }

            switch (Whiteouts.Classify(Path))
            {
                case WhiteoutKind.None:
                    Check();
                    ContentBytes += Entry.Size;
                    return true;
                case WhiteoutKind.Invalid:
                    throw Refused("invalid whiteout name");
                case WhiteoutKind.AufsMetadata:
                    break;
                case var kind:
                    Whiteouts.Add(kind, Path);
                    break;
            }
        }

        return false;
    }

    /// <summary>A failure that names the present entry.</summary>
    public LayerException Refused(string reason, Exception? innerException = null) =>
        new(Entry.Name, reason, Entry.Offset, innerException);

    private void Check()
    {
        CheckId("uid", Entry.Uid);
        CheckId("gid", Entry.Gid);
        if (Path.IsRoot && Entry.Kind != TarEntryKind.Directory)
        {
            throw Refused($"root directory cannot be replaced by a {Word(Entry.Kind)}");
        }

        switch (Entry.Kind)
        {
            case TarEntryKind.Other:
                string type = Entry.TypeFlag is > 0x20 and < 0x7f
                    ? $"'{(char)Entry.TypeFlag}'"
                    : string.Create(CultureInfo.InvariantCulture, $"0x{Entry.TypeFlag:x2}");
                throw Refused($"unsupported tar entry type {type}");
            case TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice:
                if (Entry.DeviceMajor is < 0 or > MaxMajor || Entry.DeviceMinor is < 0 or > MaxMinor)
                {
                    throw Refused($"device {Entry.DeviceMajor}:{Entry.DeviceMinor} out of range");
                }

                if (Entry is { Kind: TarEntryKind.CharacterDevice, DeviceMajor: 0, DeviceMinor: 0 })
                {
                    throw Refused("device 0:0 not allowed"); // overlayfs takes it for a whiteout
                }

                break;
            case TarEntryKind.HardLink:
                LinkPath.Set(Entry.LinkName);
                break;
            case TarEntryKind.SymbolicLink when Entry.LinkName.IsEmpty:
                throw Refused("symbolic link without a target");
            default:
                break;
        }

        XattrPolicy.Apply(Entry, warnings);
    }

    private void CheckId(string what, long id)
    {
        if (id is < 0 or >= NoId)
        {
            throw Refused($"{what} {id} out of range");
        }
    }

    private static string Word(TarEntryKind kind) => kind switch
    {
        TarEntryKind.SymbolicLink => "symlink",
        TarEntryKind.HardLink => "hard link",
        TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice => "device",
        TarEntryKind.Fifo => "fifo",
        _ => "file",
    };
}
