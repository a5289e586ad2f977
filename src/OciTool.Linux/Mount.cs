namespace OciTool.Linux;

/// <summary>What to mount, in the words of mount(8): a snapshot says with it how its tree comes about.</summary>
/// <param name="Type">A file system's type, for example <c>overlay</c>, or <c>bind</c>.</param>
/// <param name="Source">What is mounted: a directory for <c>bind</c>, otherwise a word for /proc/mounts.</param>
/// <param name="Options">
/// Options of the file system, for example <c>upperdir=/…</c>. For an overlay <see cref="LowerDirectory"/> and
/// <see cref="LowerImage"/> name the layers, topmost first.
/// </param>
public sealed record Mount(string Type, string Source, IReadOnlyList<string> Options)
{
    /// <summary>The option for a layer that is a directory.</summary>
    public const string LowerDirectory = "lowerdir+";

    /// <summary>The option for a layer that is a file with an EROFS file system.</summary>
    public const string LowerImage = "lowerimage+";
}
