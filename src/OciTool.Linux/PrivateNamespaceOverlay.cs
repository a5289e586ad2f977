using System.Runtime.ExceptionServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciTool.Linux;

/// <summary>An overlay for kernels that take all layers in one string, and only from mounts of the caller's own namespace.</summary>
/// <remarks>
/// Before Linux 6.7 there is no <c>lowerdir+</c>, and before 6.15 a layer may not be a mount that is attached nowhere. So a
/// thread of its own gets a mount namespace of its own, in which the images are attached; the layers are named by their
/// descriptors' numbers, seen from /proc/self/fd, so that 500 of them fit the page that mount(2) takes. The overlay holds
/// on to its layers: nothing else of the namespace is left when the thread ends.
/// </remarks>
internal static class PrivateNamespaceOverlay
{
    private const nint MS_RDONLY = 1;

    /// <summary>Makes the mount.</summary>
    /// <returns>Its root, attached nowhere.</returns>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public static SafeFileHandle Create(Mount mount)
    {
        SafeFileHandle? result = null;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                result = CreateHere(mount);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    private static SafeFileHandle CreateHere(Mount mount)
    {
        Namespaces.Unshare(NamespaceKinds.Mount);
        Mounts.SetPropagation(null, MountPropagation.Private);
        List<SafeFileHandle> held = [];
        try
        {
            StringBuilder layers = new("lowerdir=");
            StringBuilder others = new();
            string? target = null;
            nint flags = 0;
            foreach (string option in mount.Options)
            {
                int equals = option.IndexOf('=', StringComparison.Ordinal);
                string key = equals < 0 ? option : option[..equals];
                string value = option[(equals + 1)..];
                switch (key)
                {
                    case "ro":
                        flags = MS_RDONLY;
                        break;
                    case Mount.LowerDirectory or Mount.LowerImage:
                        target ??= Path.GetDirectoryName(value)!;
                        held.Add(key == Mount.LowerImage ? FileSystemImage.Mount(value) : DetachedMount.Open(value));
                        layers.Append(layers[^1] == '=' ? "" : ":").Append(held[^1].DangerousGetHandle());
                        break;
                    case "upperdir" or "workdir":
                        held.Add(DetachedMount.Open(value));
                        others.Append($",{key}={held[^1].DangerousGetHandle()}");
                        break;
                    default:
                        others.Append($",{option}");
                        break;
                }
            }

            AttachImages(mount, held, target!);
            using SafeFileHandle descriptors = DetachedMount.Open("/proc/self/fd");
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_fchdir, Interop.Kernel.Descriptor(descriptors)), "chdir", "/proc/self/fd");
            MountAt(target!, flags, $"{layers}{others}");
            return Mounts.Clone(target!, recursive: false);
        }
        finally
        {
            held.ForEach(handle => handle.Dispose());
        }
    }

    /// <summary>Attaches the images one upon the other: what counts is that they are attached, and they are named by descriptors.</summary>
    private static void AttachImages(Mount mount, List<SafeFileHandle> held, string target)
    {
        using SafeFileHandle place = DetachedMount.Open(target);
        int index = 0;
        foreach (string option in mount.Options)
        {
            string key = option.Split('=')[0];
            if (key == Mount.LowerImage)
            {
                Mounts.Attach(held[index], place, target);
            }

            index += key is Mount.LowerImage or Mount.LowerDirectory or "upperdir" or "workdir" ? 1 : 0;
        }
    }

    private static unsafe void MountAt(string target, nint flags, string data)
    {
        fixed (byte* type = "overlay\0"u8, place = Interop.Kernel.Terminated(target), options = Interop.Kernel.Terminated(data))
        {
            Interop.Kernel.Checked(
                Interop.Kernel.Call(Interop.Kernel.SYS_mount, (nint)type, (nint)place, (nint)type, flags, (nint)options),
                "mount", "overlay");
        }
    }
}
