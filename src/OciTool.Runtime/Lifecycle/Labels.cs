namespace OciTool.Runtime.Lifecycle;

/// <summary>The security modules of this host.</summary>
internal static class Labels
{
    /// <summary>Whether AppArmor confines programs.</summary>
    public static bool HasApparmor => ReadFirst("/sys/module/apparmor/parameters/enabled") == 'Y';

    /// <summary>Whether SELinux has a policy.</summary>
    public static bool HasSelinux => File.Exists("/sys/fs/selinux/policy");

    private static char ReadFirst(string path)
    {
        try
        {
            return File.ReadAllText(path) is { Length: > 0 } text ? text[0] : '\0';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return '\0';
        }
    }
}
