namespace OciTool.SystemTests.Fixtures;

/// <summary>Debian's busybox-static of other architectures.</summary>
internal static class ForeignPrograms
{
    /// <summary>The program.</summary>
    /// <param name="architecture">Debian's name, for example <c>armhf</c>.</param>
    public static Task<byte[]> BusyboxAsync(string architecture) =>
        DebianArchive.FileAsync(architecture == "riscv64" ? "trixie" : "bookworm", architecture, "busybox-static", "bin/busybox", "usr/bin/busybox");
}
