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
        List<SafeFileHandle> held = [];
        try
        {
            using SafeFileHandle context = Mounts.Open("overlay");
            Mounts.Configure(context, "source", mount.Source, "overlay");
            MountAttributes attributes = MountAttributes.None;
            bool one = true; // whether the kernel takes one lower directory at a time, as it does from 6.7 on
            List<string> lower = [];
            for (int i = 0; i < mount.Options.Count; i++)
            {
                string option = mount.Options[i];
                int equals = option.IndexOf('=', StringComparison.Ordinal);
                string key = equals < 0 ? option : option[..equals];
                string? value = equals < 0 ? null : option[(equals + 1)..];
                switch (key)
                {
                    case "ro":
                        attributes |= MountAttributes.ReadOnly;
                        break;
                    case "lowerdir+":
                        lower.Add(value!);
                        one = one && Mounts.TryConfigure(context, key, Short(value!, held));
                        break;
                    case "upperdir" or "workdir":
                        Mounts.Configure(context, key, Short(value!, held), "overlay");
                        break;
                    default:
                        Mounts.Configure(context, key, value, "overlay");
                        break;
                }
            }

            return one ? Mounts.Create(context, "overlay", attributes) : FromOneString(context, lower, held, attributes);
        }
        finally
        {
            held.ForEach(handle => handle.Dispose());
        }
    }

    /// <summary>
    /// Kernels before 6.7 want all lower directories in one value of at most 255 bytes: each is opened, and named by
    /// its number, seen from /proc/self/fd.
    /// </summary>
    private static SafeFileHandle FromOneString(
        SafeFileHandle context, List<string> lower, List<SafeFileHandle> held, MountAttributes attributes)
    {
        StringBuilder value = new();
        foreach (string directory in lower)
        {
            SafeFileHandle handle = Hold(directory, held);
            value.Append(value.Length == 0 ? "" : ":").Append(handle.DangerousGetHandle());
        }

        using SafeFileHandle before = RootDirectory.Open(
            Interop.Libc.AT_FDCWD, ".", Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);
        using SafeFileHandle descriptors = RootDirectory.Open(
            Interop.Libc.AT_FDCWD, "/proc/self/fd", Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);
        Interop.Kernel.Checked(
            Interop.Kernel.Call(Interop.Kernel.SYS_fchdir, Interop.Kernel.Descriptor(descriptors)), "chdir", "/proc/self/fd");
        try
        {
            Mounts.Configure(context, "lowerdir", value.ToString(), "overlay");
            return Mounts.Create(context, "overlay", attributes);
        }
        finally
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_fchdir, Interop.Kernel.Descriptor(before)), "chdir");
        }
    }

    private static string Short(string path, List<SafeFileHandle> held) =>
        Encoding.UTF8.GetByteCount(path) <= LongestValue
            ? path
            : $"/proc/self/fd/{Hold(path, held).DangerousGetHandle()}";

    private static SafeFileHandle Hold(string path, List<SafeFileHandle> held)
    {
        SafeFileHandle handle = RootDirectory.Open(
            Interop.Libc.AT_FDCWD, path, Interop.Libc.O_PATH | Interop.Libc.O_DIRECTORY, mode: 0, resolve: 0);
        held.Add(handle);
        return handle;
    }
}
