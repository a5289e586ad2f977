using System.Globalization;
using System.Text;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Users;

/// <summary>An entry of a passwd or group file.</summary>
/// <param name="Name">The name.</param>
/// <param name="Id">The user ID or the group ID.</param>
/// <param name="Gid">The user's primary group; for a group its own ID.</param>
/// <param name="Home">The user's home directory; empty for a group.</param>
/// <param name="Members">The names of a group's members; empty for a user.</param>
internal sealed record AccountEntry(string Name, uint Id, uint Gid, string Home, IReadOnlyList<string> Members);

/// <summary>Reads <c>/etc/passwd</c> and <c>/etc/group</c> of an image: text of an attacker, so bounded in every way.</summary>
internal static class AccountFile
{
    /// <summary>The path of the users.</summary>
    internal const string Passwd = "/etc/passwd";

    /// <summary>The path of the groups.</summary>
    internal const string Group = "/etc/group";

    private const int MaxBytes = 1 << 20;
    private const int MaxLine = 4096;

    /// <summary>Reads all entries; none where there is no file. Lines of another form are passed over, as libc does.</summary>
    /// <exception cref="ContainerSetupException">It is no regular file, too large, or has an ID out of range.</exception>
    internal static List<AccountEntry> Read(RootDirectory rootfs, string path)
    {
        List<AccountEntry> entries = [];
        byte[]? content = Load(rootfs, path);
        if (content is null)
        {
            return entries;
        }

        ReadOnlySpan<byte> rest = content;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (line.Length > MaxLine)
            {
                throw new ContainerSetupException($"invalid {path} in the image: a line has more than {MaxLine} bytes");
            }

            if (Parse(Encoding.UTF8.GetString(line), path) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return entries;
    }

    /// <summary>The file's bytes, or null where it is absent.</summary>
    /// <exception cref="ContainerSetupException">It is no regular file, or too large.</exception>
    internal static byte[]? Load(RootDirectory rootfs, string path)
    {
        try
        {
            return rootfs.TryReadFile(path, MaxBytes);
        }
        catch (IOException e)
        {
            throw new ContainerSetupException($"cannot read {path} of the image: {e.Message}", e);
        }
    }

    private static AccountEntry? Parse(string line, string path)
    {
        string[] fields = line.Trim().Split(':');
        bool isPasswd = path == Passwd;
        if (fields.Length < (isPasswd ? 4 : 3) || fields[0].Length == 0 || fields[0][0] is '#' or '+' or '-'
            || !TryId(fields[2], out uint id))
        {
            return null;
        }

        if (!isPasswd)
        {
            string[] members = fields.Length > 3 ? fields[3].Split(',', StringSplitOptions.RemoveEmptyEntries) : [];
            return new(fields[0], id, id, "", members);
        }

        return TryId(fields[3], out uint gid) ? new(fields[0], id, gid, fields.Length > 5 ? fields[5] : "", []) : null;

        bool TryId(string text, out uint value)
        {
            value = 0;
            if (text.Length == 0 || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            {
                return false;
            }

            return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= int.MaxValue
                ? true
                : throw new ContainerSetupException(
                    $"invalid {path} in the image: the ID {Printable.Shorten(text)} is not in range 0-{int.MaxValue}");
        }
    }
}
