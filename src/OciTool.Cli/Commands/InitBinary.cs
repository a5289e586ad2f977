using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The program that <c>--init</c> puts in front of the container's command.</summary>
internal static class InitBinary
{
    private static readonly string[] Paths =
    [
        "/usr/libexec/podman/catatonit", "/usr/bin/catatonit", "/usr/local/libexec/podman/catatonit", "/usr/bin/docker-init", "/usr/bin/tini-static",
    ];

    /// <summary>Finds one that is linked statically, so that it runs in any image.</summary>
    /// <exception cref="OciException">None is installed.</exception>
    public static string Find() => Array.Find(Paths, File.Exists)
        ?? throw new OciException("--init: no init program is installed on this machine") { Hint = "install the package catatonit" };
}
