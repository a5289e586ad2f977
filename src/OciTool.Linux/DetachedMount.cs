using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>A file system that is mounted nowhere: it lives as long as a descriptor of it, so a crash leaves nothing.</summary>
/// <remarks>Why a root file system starts like this: docs/adr/0002-detached-root-and-spec.md.</remarks>
public static class DetachedMount
{
    /// <summary>The longest value that fsconfig(2) takes.</summary>
    private const int LongestValue = 255;

    /// <summary>Makes a mount.</summary>
    /// <param name="mount">What to mount.</param>
    /// <returns>Its root; disposing of it ends the mount if nobody has attached it.</returns>
    /// <exception cref="ErrnoException">The kernel refuses, or a directory is not there.</exception>
    public static RootDirectory Create(Mount mount)
    {
        SafeFileHandle handle = mount.Type switch
        {
            "bind" => Bind(mount),
            "overlay" => Overlay(mount),
            _ => Mounts.Create(mount.Type, mount.Source, mount.Options, MountAttributes.None),
        };
        Mounts.SetPropagation(handle, MountPropagation.Private);
        return new RootDirectory(handle);
    }

    /// <summary>Copies a directory of the host with all that is mounted below it.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="isPrivate">Whether nothing that is mounted on one side is seen on the other.</param>
    /// <exception cref="ErrnoException">It is not there, or is no directory.</exception>
    public static RootDirectory CreateFrom(string path, bool isPrivate)
    {
        SafeFileHandle handle = Mounts.Clone(path, recursive: true);
        if (!Descriptors.IsDirectory(handle))
        {
            handle.Dispose();
            throw new ErrnoException("open_tree", path, Errno.ENOTDIR);
        }

        if (isPrivate)
        {
            Mounts.SetPropagation(handle, MountPropagation.Private);
        }

        return new RootDirectory(handle);
    }

    /// <summary>Mounts a file with a file system, for reading.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ErrnoException">The kernel refuses, or it is not there.</exception>
    public static RootDirectory CreateFromImage(string path) => new(FileSystemImage.Mount(path));

    private static SafeFileHandle Bind(Mount mount)
    {
        SafeFileHandle handle = Mounts.Clone(mount.Source, recursive: true);
        for (int i = 0; i < mount.Options.Count; i++)
        {
            if (mount.Options[i] == "ro")
            {
                Mounts.SetAttributes(handle, MountAttributes.ReadOnly, MountAttributes.None, recursive: true);
            }
        }

        return handle;
    }

    private static SafeFileHandle Overlay(Mount mount)
    {
        List<SafeFileHandle> held = []; // an image that is attached nowhere is unmounted with its descriptor
        try
        {
            return TryLayerByLayer(mount, held) ?? PrivateNamespaceOverlay.Create(mount);
        }
        finally
        {
            held.ForEach(handle => handle.Dispose());
        }
    }

    /// <summary>Passes one layer at a time, as kernels take them from 6.7 on, and mounts that are attached nowhere from 6.15 on.</summary>
    /// <returns>Null where the kernel is older than that.</returns>
    private static SafeFileHandle? TryLayerByLayer(Mount mount, List<SafeFileHandle> held)
    {
        using SafeFileHandle context = Mounts.Open("overlay");
        Mounts.Configure(context, "source", mount.Source, "overlay");
        MountAttributes attributes = MountAttributes.None;
        for (int i = 0; i < mount.Options.Count; i++)
        {
            string option = mount.Options[i];
            int equals = option.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? option : option[..equals];
            string? value = equals < 0 ? null : option[(equals + 1)..];
            if (key == Mount.LowerImage || (key is Mount.LowerDirectory or "upperdir" or "workdir" && IsTooLong(value!)))
            {
                held.Add(key == Mount.LowerImage ? FileSystemImage.Mount(value!) : Open(value!));
                value = PathOf(held[^1]);
            }

            switch (key)
            {
                case "ro":
                    attributes |= MountAttributes.ReadOnly;
                    break;
                case Mount.LowerDirectory or Mount.LowerImage:
                    if (!Mounts.TryConfigure(context, Mount.LowerDirectory, value))
                    {
                        return null;
                    }

                    break;
                default:
                    Mounts.Configure(context, key, value, "overlay");
                    break;
            }
        }

        try
        {
            return Mounts.Create(context, "overlay", attributes);
        }
        catch (ErrnoException e) when (e.Errno == Errno.EINVAL)
        {
            return null; // before 6.5 every option is taken, and only the whole is refused
        }
    }

    /// <summary>Whether a path is longer than fsconfig(2) takes.</summary>
    internal static bool IsTooLong(string path) => Encoding.UTF8.GetByteCount(path) > LongestValue;

    /// <summary>A short path for what is open.</summary>
    internal static string PathOf(SafeFileHandle handle) => $"/proc/self/fd/{handle.DangerousGetHandle()}";

    /// <summary>Opens what a path names without reading it.</summary>
    internal static SafeFileHandle Open(string path) =>
        RootDirectory.Open(Interop.Libc.AT_FDCWD, path, Interop.Libc.O_PATH, mode: 0, resolve: 0);
}
