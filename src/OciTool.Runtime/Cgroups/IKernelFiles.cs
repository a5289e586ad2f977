using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>The files by which groups are configured: the kernel's, or those of a model of it.</summary>
internal interface IKernelFiles
{
    /// <summary>Writes a value.</summary>
    /// <returns>Why the file does not take it.</returns>
    Errno Write(string path, string value);

    /// <summary>Reads a file.</summary>
    /// <returns>Why it cannot be read.</returns>
    Errno Read(string path, out string text);
}

/// <summary>The files of this host.</summary>
internal sealed class HostFiles : IKernelFiles
{
    internal static readonly HostFiles Instance = new();

    public Errno Write(string path, string value) => KernelFile.Write(path, value);

    public Errno Read(string path, out string text) => KernelFile.Read(path, out text);
}
