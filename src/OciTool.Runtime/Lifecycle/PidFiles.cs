using System.Globalization;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Files with the number of a process, which others read as soon as the runtime has ended.</summary>
internal static class PidFiles
{
    /// <summary>Writes one: whole, without a line break.</summary>
    public static void Write(string path, int pid)
    {
        string full = Path.GetFullPath(path);
        string fresh = Path.Join(Path.GetDirectoryName(full), $".{Path.GetFileName(full)}");
        File.WriteAllText(fresh, pid.ToString(CultureInfo.InvariantCulture));
        File.Move(fresh, full, overwrite: true);
    }
}
