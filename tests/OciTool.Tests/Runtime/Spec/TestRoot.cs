using System.Diagnostics;
using OciTool.Linux;

namespace OciTool.Tests.Runtime.Spec;

/// <summary>A root file system in a temporary directory, and a directory beside it that must never change.</summary>
internal sealed class TestRoot : IDisposable
{
    internal TestRoot()
    {
        Top = Directory.CreateTempSubdirectory("oci-spec-").FullName;
        Path = Directory.CreateDirectory(System.IO.Path.Join(Top, "root")).FullName;
        Canary = Directory.CreateDirectory(System.IO.Path.Join(Top, "canary")).FullName;
        Container = Directory.CreateDirectory(System.IO.Path.Join(Top, "container")).FullName;
        Root = new RootDirectory(Path);
    }

    internal string Top { get; }

    internal string Path { get; }

    internal string Canary { get; }

    internal string Container { get; }

    internal RootDirectory Root { get; }

    internal static TestRoot WithAccounts(string passwd, string group = "")
    {
        TestRoot root = new();
        root.Write("/etc/passwd", passwd);
        root.Write("/etc/group", group);
        return root;
    }

    internal string HostPath(string path) => Path + path;

    internal void Write(string path, string content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(HostPath(path))!);
        File.WriteAllText(HostPath(path), content);
    }

    internal void MakeFifo(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(HostPath(path))!);
        using Process process = Process.Start("mkfifo", HostPath(path));
        process.WaitForExit();
    }

    public void Dispose()
    {
        Root.Dispose();
        Directory.Delete(Top, recursive: true);
    }
}
