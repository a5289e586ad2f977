namespace OciTool.Images.Compatibility;

/// <summary>The tree of files that a container of an image sees, without a container.</summary>
/// <remarks>Symbolic links are followed inside the tree, whatever they say; nothing is executed and nothing is written.</remarks>
public interface IImageFiles
{
    /// <summary>Looks at what a path leads to.</summary>
    /// <param name="path">An absolute path.</param>
    /// <returns>Null when nothing is there: also when a link leads nowhere or to itself.</returns>
    /// <exception cref="UnreadableImageException">The part of the image that knows was not read.</exception>
    ImageFile? Find(string path);

    /// <summary>Opens a regular file; the caller disposes what implements <see cref="IDisposable"/>.</summary>
    /// <param name="path">An absolute path.</param>
    /// <returns>Null when no regular file is there.</returns>
    /// <exception cref="UnreadableImageException">Its content was not read.</exception>
    IFileBytes? Open(string path);

    /// <summary>The names in a directory, without <c>.</c> and <c>..</c>; none when it is not there.</summary>
    /// <param name="path">An absolute path.</param>
    /// <exception cref="UnreadableImageException">The part of the image that knows was not read.</exception>
    IReadOnlyList<string> List(string path);

    /// <summary>Looks at every file, for what file systems and mappings of users may not take; slow.</summary>
    /// <exception cref="UnreadableImageException">The image was not read whole.</exception>
    TreeFacts ReadTree();
}

/// <summary>What all files of an image together need.</summary>
/// <param name="HighestUser">The highest user ID.</param>
/// <param name="HighestGroup">The highest group ID.</param>
/// <param name="Owner">A file that has one of them.</param>
public sealed record TreeFacts(long HighestUser, long HighestGroup, string Owner)
{
    /// <summary>A file with file capabilities, and how many have them.</summary>
    public (string? First, int Count) Capabilities { get; init; }

    /// <summary>A device node, and how many there are.</summary>
    public (string? First, int Count) Devices { get; init; }

    /// <summary>A name that another one in the same directory equals but for its case, and how many there are.</summary>
    public (string? First, int Count) CaseCollisions { get; init; }
}

/// <summary>A file, directory or whatever of an image.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Its permission bits.</param>
/// <param name="Uid">Its owner.</param>
/// <param name="Gid">Its group.</param>
/// <param name="Size">Its size, in bytes.</param>
/// <param name="RealPath">Its absolute path without symbolic links.</param>
public sealed record ImageFile(ImageFileKind Kind, int Mode, long Uid, long Gid, long Size, string RealPath)
{
    /// <summary>Whether a user may execute it, or enter it.</summary>
    /// <param name="uid">The user; 0 may if anybody may.</param>
    /// <param name="groups">The user's groups.</param>
    public bool IsExecutableBy(long uid, IReadOnlyList<long> groups) => uid switch
    {
        0 => Kind == ImageFileKind.Directory || (Mode & 0x49) != 0,
        _ when uid == Uid => (Mode & 0x40) != 0,
        _ when groups.Contains(Gid) => (Mode & 0x08) != 0,
        _ => (Mode & 0x01) != 0,
    };
}

/// <summary>What a path of an image leads to.</summary>
public enum ImageFileKind
{
    /// <summary>A regular file.</summary>
    Regular,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A device, FIFO or socket.</summary>
    Special,
}

/// <summary>A part of an image was not read, and why: its checks have no answer.</summary>
/// <param name="message">The reason.</param>
/// <param name="innerException">The cause.</param>
public sealed class UnreadableImageException(string message, Exception? innerException = null) : OciException(message, innerException);
