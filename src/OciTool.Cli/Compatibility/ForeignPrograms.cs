using OciTool.Linux;

namespace OciTool.Cli.Compatibility;

/// <summary>Whether this machine may run programs of another architecture.</summary>
internal static class ForeignPrograms
{
    /// <summary>Tries it, where there is a program to try; else what is not known may run.</summary>
    /// <param name="architecture">A GOARCH value that is not this machine's.</param>
    public static bool MayRun(string architecture)
    {
        try
        {
            return !HostProbe.Architectures.Contains(architecture) || HostProbe.Execute(architecture) != nameof(Errno.ENOEXEC);
        }
        catch (ErrnoException)
        {
            return true;
        }
    }
}
