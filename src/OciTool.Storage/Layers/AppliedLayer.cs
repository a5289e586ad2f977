using OciTool.Images;

namespace OciTool.Storage.Layers;

/// <summary>What a layer can be made into.</summary>
public enum SnapshotForm
{
    /// <summary>Files below a directory, <c>fs</c>: works everywhere.</summary>
    Directory,

    /// <summary>One file, <c>layer.erofs</c>, with a file system in it that the kernel mounts.</summary>
    Erofs,
}

/// <summary>The words for the forms.</summary>
public static class SnapshotForms
{
    /// <summary>The word for a form, as <c>--snapshotter</c> takes it.</summary>
    /// <param name="form">The form.</param>
    public static string NameOf(SnapshotForm form) => form == SnapshotForm.Erofs ? "erofs" : "directory";

    /// <summary>The form that a word stands for.</summary>
    /// <param name="name">The word.</param>
    /// <exception cref="OciException">There is no such form.</exception>
    public static SnapshotForm Parse(string name) => name switch
    {
        "erofs" => SnapshotForm.Erofs,
        "directory" => SnapshotForm.Directory,
        _ => throw new OciException($"unknown snapshotter '{Printable.Shorten(name)}': it is erofs or directory"),
    };
}

/// <summary>What a layer says about the root directory.</summary>
/// <param name="Mode">Permission, set-id and sticky bits.</param>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
public sealed record LayerRoot(uint Mode, uint Uid, uint Gid);

/// <summary>What was applied.</summary>
/// <param name="Form">What it was made into.</param>
/// <param name="DiffId">The digest of the uncompressed archive.</param>
/// <param name="Entries">How many entries the archive has.</param>
/// <param name="ContentBytes">The sum of the sizes of its regular files.</param>
/// <param name="UncompressedBytes">The size of the uncompressed archive.</param>
/// <param name="OpaqueRoot">Whether the layer hides all layers below it (an opaque whiteout in its root).</param>
/// <param name="Root">What it says about the root directory; null when it has no entry for it.</param>
public sealed record AppliedLayer(
    SnapshotForm Form, Digest DiffId, long Entries, long ContentBytes, long UncompressedBytes, bool OpaqueRoot, LayerRoot? Root);
