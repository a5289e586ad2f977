namespace OciTool.SystemTests.Fixtures;

/// <summary>
/// A machine that emulates another architecture: the handler is registered in a user namespace (Linux 6.7), so that nobody else meets it.
/// </summary>
internal static class Emulated
{
    /// <summary>Runs the tool where programs of an architecture are emulated; it keeps its layers as directories.</summary>
    /// <param name="oci">The tool and its store.</param>
    /// <param name="emulator">qemu's name of the architecture, for example <c>aarch64</c>.</param>
    /// <param name="flags">The handler's flags, for example <c>F</c>.</param>
    /// <param name="arguments">The command line.</param>
    public static async Task<ProgramResult> RunAsync(Oci oci, string emulator, string flags, params string[] arguments)
    {
        Need.Programs($"qemu-{emulator}-static");
        string[] words = (await File.ReadAllTextAsync($"/usr/lib/binfmt.d/qemu-{emulator}.conf")).Trim().Split(':'); // binfmt.d(5)
        string handler = string.Join(':', [.. words[..^2], InterpreterOf(emulator), flags]);
        return await Shell.RunAsync(
            "unshare",
            [
                "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec",
                "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; printf '%s' \"$1\" >/proc/sys/fs/binfmt_misc/register; shift; exec \"$@\"",
                "sh", handler, Oci.Binary, .. oci.Arguments(["--snapshotter", "directory", .. arguments]),
            ],
            oci.CleanEnvironment());
    }

    /// <summary>The interpreter of a handler.</summary>
    public static string InterpreterOf(string emulator) => $"/usr/bin/qemu-{emulator}-static";
}
