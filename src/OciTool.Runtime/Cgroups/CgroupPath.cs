using OciTool.Images;

namespace OciTool.Runtime.Cgroups;

/// <summary>Where below a hierarchy a container's group is to be.</summary>
/// <param name="IsAbsolute">Whether it is below the hierarchy's root, instead of the caller's own group.</param>
/// <param name="Segments">The directories, outermost first.</param>
internal sealed record CgroupPath(bool IsAbsolute, IReadOnlyList<string> Segments)
{
    // below it are the groups of containers that do not say where they want to be
    private const string Parent = "oci";

    /// <summary>Reads a path of a configuration.</summary>
    /// <param name="path">The path; null for our own place.</param>
    /// <param name="containerId">The container's ID.</param>
    /// <exception cref="OciException">The path or the ID leads elsewhere.</exception>
    internal static CgroupPath Parse(string? path, string containerId)
    {
        if (string.IsNullOrEmpty(path))
        {
            CheckName(containerId);
            return new(IsAbsolute: true, [Parent, containerId]);
        }

        List<string> segments = [];
        foreach (string segment in path.Split('/'))
        {
            if (segment is "" or ".")
            {
                continue;
            }

            if (segment == ".." || segment.Contains('\0', StringComparison.Ordinal) || segment.Contains('\n', StringComparison.Ordinal))
            {
                throw new OciException($"invalid cgroups path '{Printable.Shorten(path)}'");
            }

            segments.Add(segment);
        }

        // the root of a hierarchy has all processes of the host in it, and cannot be removed
        return segments.Count > 0
            ? new(path[0] == '/', segments)
            : throw new OciException($"invalid cgroups path '{Printable.Shorten(path)}': it names no group");
    }

    /// <summary>Checks that an ID can be a directory's name.</summary>
    /// <exception cref="OciException">It cannot.</exception>
    internal static void CheckName(string name)
    {
        bool valid = name.Length is > 0 and <= 200 && name[0] != '.';
        foreach (char c in name)
        {
            valid &= char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '.' or '-';
        }

        if (!valid)
        {
            throw new OciException($"invalid container ID '{Printable.Shorten(name)}'");
        }
    }
}
