using OciTool.Images;

namespace OciTool.Runtime;

/// <summary>Paths inside a container: cleaned by their text alone, resolved later by the kernel.</summary>
internal static class ContainerPath
{
    /// <summary>Checks and cleans the destination of a mount.</summary>
    /// <exception cref="OciException">It is empty or relative, or the root itself.</exception>
    internal static string Parse(string path)
    {
        if (path.Length == 0)
        {
            throw new OciException("container directory cannot be empty");
        }

        if (path[0] != '/' || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new OciException($"invalid container path \"{Printable.Shorten(path)}\", must be an absolute path");
        }

        string clean = Clean(path);
        return clean != "/" ? clean : throw new OciException("invalid container path \"/\", must not be the root");
    }

    /// <summary>Removes <c>.</c>, <c>..</c> and doubled slashes; the result is absolute.</summary>
    internal static string Clean(string path)
    {
        List<string> parts = [];
        foreach (string part in path.Split('/'))
        {
            switch (part)
            {
                case "" or ".":
                    break;
                case ".." when parts.Count > 0:
                    parts.RemoveAt(parts.Count - 1);
                    break;
                case "..":
                    break;
                default:
                    parts.Add(part);
                    break;
            }
        }

        return "/" + string.Join('/', parts);
    }

    /// <summary>Whether a clean path is a directory's or lies below it.</summary>
    internal static bool IsAtOrBelow(string path, string directory) =>
        path.StartsWith(directory, StringComparison.Ordinal)
            && (path.Length == directory.Length || path[directory.Length] == '/' || directory == "/");
}
