using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage.Layers;

namespace OciTool.Tests.Layers;

/// <summary>A directory for a layer between two canaries: one beside it, one far away.</summary>
internal sealed class LayerDirectory : IDisposable
{
    private readonly string _store = Directory.CreateTempSubdirectory("oci-layer-").FullName;
    private readonly string _far = Directory.CreateTempSubdirectory("oci-canary-").FullName;

    public LayerDirectory()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Near);
        File.WriteAllText(Path.Join(Near, "victim"), "near");
        File.WriteAllText(Path.Join(_far, "victim"), "far");
    }

    /// <summary>What the layer's tree lies in.</summary>
    public string Place => _store;

    public string Root => Path.Join(_store, "fs");

    public string Near => Path.Join(_store, "canary");

    /// <summary>The absolute path of the far canary.</summary>
    public string Far => _far;

    public List<string> Warnings { get; } = [];

    public AppliedLayer Apply(byte[] content, byte[]? uncompressed = null, LayerLimits? limits = null)
    {
        using MemoryStream stream = new(content);
        return LayerApplier.Apply(
            stream, _store, SnapshotForm.Directory, Digest.Of(uncompressed ?? content), limits ?? new LayerLimits(), Warnings.Add);
    }

    public bool Exists(string path) => Look(path, out _) == Errno.None;

    public FileStatus Status(string path) =>
        Look(path, out FileStatus status) is var errno && errno == Errno.None
            ? status
            : throw new FileNotFoundException(path + ": " + errno);

    public string Read(string path) => File.ReadAllText(Path.Join(Root, path));

    public string? Target(string path) => new FileInfo(Path.Join(Root, path)).LinkTarget;

    public bool IsWhiteout(string path) => Exists(path) && Status(path).Type == 0x2000;

    public bool IsOpaque(string path) =>
        Xattr(path, "trusted.overlay.opaque") == "y" || Xattr(path, "user.overlay.opaque") == "y";

    public string? Xattr(string path, string name)
    {
        byte[] value = new byte[256];
        nint length = GetXattr(Path.Join(Root, path), name, value, value.Length);
        return length < 0 ? null : Encoding.Latin1.GetString(value.AsSpan(0, (int)length));
    }

    /// <summary>Nothing outside of the layer's directory may have changed.</summary>
    public string Canaries() => string.Join('|',
        new[] { _far, Near }.SelectMany(directory => Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories))
            .Order().Select(path => Path.GetFileName(path) + "=" + File.ReadAllText(path) + new FileInfo(path).UnixFileMode)
            .Concat(Directory.EnumerateFileSystemEntries(_store).Select(Path.GetFileName).Order()!));

    public void Dispose()
    {
        using (RootDirectory root = new(_store))
        using (DirectoryDescriptor store = DirectoryDescriptor.Of(root))
        {
            store.RemoveTree("fs\0"u8);
        }

        Directory.Delete(_store, recursive: true);
        Directory.Delete(_far, recursive: true);
    }

    private Errno Look(string path, out FileStatus status)
    {
        using RootDirectory root = new(Root);
        using DirectoryDescriptor top = DirectoryDescriptor.Of(root);
        byte[] bytes = [.. Encoding.Latin1.GetBytes(path), 0];
        return top.Look(bytes, out status);
    }

    [DllImport("libc", EntryPoint = "lgetxattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
    private static extern nint GetXattr(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path, [MarshalAs(UnmanagedType.LPUTF8Str)] string name,
        byte[] value, nint size);
}
