using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OciTool.Tests.Layers.Model;

/// <summary>A tree as text, a line a name, so that two trees are compared, and their difference shown, by lines.</summary>
internal static class TreeText
{
    /// <summary>Says all about a tree.</summary>
    /// <param name="root">Its root.</param>
    /// <param name="overlay">Whether whiteouts and opaque directories are shown as overlayfs wants them in a lower layer.</param>
    public static IReadOnlyList<string> Of(FileNode root, bool overlay = false)
    {
        List<string> lines = [];
        Add(lines, [], "/", root, overlay);
        return lines;
    }

    /// <summary>The lines that only one of two trees has; empty when they are equal.</summary>
    public static string Difference(IReadOnlyList<string> expected, IReadOnlyList<string> actual)
    {
        StringBuilder text = new();
        foreach (string line in expected.Except(actual).Select(line => "  expected  " + line)
            .Concat(actual.Except(expected).Select(line => "  actual    " + line))
            .OrderBy(line => line[12..].Split(' ')[0], StringComparer.Ordinal))
        {
            text.AppendLine(line);
        }

        return text.ToString();
    }

    /// <summary>Bytes that are not plain ASCII, and spaces, as <c>\xHH</c>.</summary>
    public static string Escape(string text)
    {
        StringBuilder escaped = new();
        foreach (char character in text)
        {
            escaped.Append(character is > ' ' and < '\x7f' and not '\\' ? character : $"\\x{(int)character:x2}");
        }

        return escaped.ToString();
    }

    /// <summary>Content as it is when it is short, otherwise its length and the start of its SHA-256.</summary>
    public static string Content(string content) =>
        content.Length <= 12
            ? $"\"{Escape(content)}\""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"[{content.Length} {Convert.ToHexStringLower(SHA256.HashData(Encoding.Latin1.GetBytes(content)))[..8]}]");

    private static void Add(List<string> lines, Dictionary<FileNode, string> firstNames, string path, FileNode node, bool overlay)
    {
        lines.Add(Line(path, node, overlay) + (firstNames.TryGetValue(node, out string? first) && !(overlay && node.IsWhiteout) ? $" same as {first}" : ""));
        firstNames.TryAdd(node, path);
        foreach ((string name, FileNode child) in node.Children)
        {
            Add(lines, firstNames, (path == "/" ? "/" : path + "/") + Escape(name), child, overlay);
        }
    }

    private static string Line(string path, FileNode node, bool overlay)
    {
        if (overlay && node.IsWhiteout)
        {
            return $"{path} whiteout"; // owner, mode and time of one mean nothing
        }

        StringBuilder line = new($"{path} {node.Kind} {Convert.ToString(node.Mode, 8)} {node.Uid}:{node.Gid} {node.Modified.Seconds}.{node.Modified.Nanoseconds:d9}");
        line.Append(node.Kind switch
        {
            FileKind.File => $" {Content(node.Content)}",
            FileKind.SymbolicLink => $" -> {Escape(node.Target)}",
            FileKind.CharacterDevice or FileKind.BlockDevice => $" {node.Major}:{node.Minor}",
            _ => "",
        });
        foreach ((string name, string value) in node.Xattrs)
        {
            line.Append($" {Escape(name)}={Content(value)}");
        }

        return line.Append(overlay && (node.IsOpaque || node.IsRecreated) ? " opaque" : "").ToString();
    }
}
