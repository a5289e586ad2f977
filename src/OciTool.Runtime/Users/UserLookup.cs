using System.Globalization;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Users;

/// <summary>Whom a container runs as, in numbers.</summary>
/// <param name="Uid">The user.</param>
/// <param name="Gid">The primary group.</param>
/// <param name="AdditionalGids">All its groups, the primary one first.</param>
/// <param name="Home">Its home directory by the passwd file, or <c>/</c>.</param>
internal sealed record ContainerUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids, string Home)
{
    /// <summary>Whether the passwd file of the image has an entry for the user.</summary>
    internal bool IsInPasswd { get; init; }

    /// <summary>Whether the group file of the image has an entry for the primary group.</summary>
    internal bool IsInGroup { get; init; }
}

/// <summary>Finds users and groups in the files of an image, never in the host's and never through NSS.</summary>
internal static class UserLookup
{
    private const uint MaxId = int.MaxValue;

    /// <summary>Resolves <c>user[:group]</c>.</summary>
    /// <param name="text">Names or numbers; empty for root. Digits alone are always a number, never a name (CVE-2024-40635).</param>
    /// <param name="groupAdd">Additional groups, by name or number.</param>
    /// <param name="rootfs">The container's root.</param>
    /// <exception cref="ContainerSetupException">There is no such user or group, or an image's file is not acceptable.</exception>
    internal static ContainerUser Resolve(string text, IReadOnlyList<string> groupAdd, RootDirectory rootfs)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string userText = colon < 0 ? text : text[..colon];
        string groupText = colon < 0 ? "" : text[(colon + 1)..];
        if (groupText.Contains(':', StringComparison.Ordinal))
        {
            throw new ContainerSetupException($"invalid user '{Printable.Shorten(text)}': it is not user[:group]");
        }

        bool numericUser = TryParseId(userText, out uint uid);
        bool numericGroup = TryParseId(groupText, out uint gid);

        List<AccountEntry> passwd = AccountFile.Read(rootfs, AccountFile.Passwd);
        AccountEntry? user = userText.Length == 0
            ? passwd.Find(entry => entry.Id == 0)
            : passwd.Find(entry => numericUser ? entry.Id == uid : entry.Name == userText);
        if (user is null && userText.Length > 0 && !numericUser)
        {
            throw new ContainerSetupException(
                $"unable to find user {Printable.Shorten(userText)}: no matching entries in passwd file");
        }

        uid = user?.Id ?? uid;
        List<AccountEntry> groups = AccountFile.Read(rootfs, AccountFile.Group);
        gid = groupText.Length == 0 ? user?.Gid ?? 0
            : numericGroup ? gid
            : groups.Find(entry => entry.Name == groupText)?.Id ?? throw new ContainerSetupException(
                $"unable to find group {Printable.Shorten(groupText)}: no matching entries in group file");

        // the primary group leads: a set-group-ID program that gives it up must not thereby gain rights (CVE-2022-36109)
        List<uint> gids = [gid];
        foreach (string name in groupAdd)
        {
            Add(TryParseId(name, out uint number) ? number
                : groups.Find(entry => entry.Name == name)?.Id ?? throw new ContainerSetupException(
                    $"unable to find group {Printable.Shorten(name)}: no matching entries in group file"));
        }

        if (user is not null && colon < 0)
        {
            foreach (AccountEntry group in groups)
            {
                if (group.Members.Contains(user.Name))
                {
                    Add(group.Id);
                }
            }
        }

        return new(uid, gid, gids, user is { Home.Length: > 0 } && user.Home[0] == '/' ? user.Home : "/")
        {
            IsInPasswd = user is not null,
            IsInGroup = groups.Exists(entry => entry.Id == gid),
        };

        void Add(uint id)
        {
            if (!gids.Contains(id))
            {
                gids.Add(id);
            }
        }
    }

    /// <summary>The home directory of a user by the passwd file; <c>/</c> where there is none.</summary>
    internal static string HomeOf(uint uid, RootDirectory rootfs)
    {
        try
        {
            AccountEntry? user = AccountFile.Read(rootfs, AccountFile.Passwd).Find(entry => entry.Id == uid);
            return user is { Home.Length: > 0 } && user.Home[0] == '/' ? user.Home : "/";
        }
        catch (ContainerSetupException)
        {
            return "/"; // nobody asked for a name: a file that cannot be used is as good as none
        }
    }

    /// <summary>Reads a number, and refuses one that is out of range rather than take it for a name.</summary>
    private static bool TryParseId(string text, out uint id)
    {
        id = 0;
        int start = text.Length > 1 && text[0] is '-' or '+' ? 1 : 0;
        if (text.Length == start || text.AsSpan(start).ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        return start == 0 && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id <= MaxId
            ? true
            : throw new ContainerSetupException($"uids and gids must be in range 0-{MaxId}: got {Printable.Shorten(text)}");
    }
}
