using OciTool.Images;

namespace OciTool.Runtime;

/// <summary>A file system in memory, at a path in the container.</summary>
/// <param name="Destination">A clean absolute path in the container.</param>
/// <param name="Options">Mount options beyond the defaults, in the order in which they were given.</param>
public sealed record TmpfsMount(string Destination, IReadOnlyList<string> Options)
{
    /// <summary>Parses the value of <c>--tmpfs</c>: <c>container-dir[:option[,option…]]</c>.</summary>
    /// <exception cref="OciException">It is not of that form.</exception>
    public static TmpfsMount Parse(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string destination = ContainerPath.Parse(colon < 0 ? text : text[..colon]);
        if (colon < 0)
        {
            return new(destination, []);
        }

        string[] options = text[(colon + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries);
        foreach (string option in options)
        {
            Check(option);
        }

        return new(destination, options);
    }

    /// <summary>The options of the mount, defaults included, as the runtime-spec has them.</summary>
    internal List<string> SpecOptions()
    {
        List<string> options = [];
        bool copyUp = true;
        foreach (string option in Options)
        {
            copyUp &= option is not ("tmpcopyup" or "notmpcopyup");
            if (option != "notmpcopyup")
            {
                options.Add(option);
            }
        }

        AddUnless("rw", "ro");
        AddUnless("rprivate", "private");
        AddUnless("nosuid", "suid");
        AddUnless("nodev", "dev");
        if (copyUp)
        {
            options.Add("tmpcopyup");
        }

        return options;

        void AddUnless(string option, string opposite)
        {
            if (!options.Contains(option) && !options.Contains(opposite))
            {
                options.Add(option);
            }
        }
    }

    private static void Check(string option)
    {
        bool known = option is "rw" or "ro" or "exec" or "noexec" or "suid" or "nosuid" or "dev" or "nodev" or "relatime"
                or "noatime" or "strictatime" or "private" or "rprivate" or "tmpcopyup" or "notmpcopyup"
            || HasNumber("size=") || HasNumber("mode=") || HasNumber("nr_inodes=") || HasNumber("nr_blocks=")
            || HasNumber("uid=") || HasNumber("gid=");
        if (!known)
        {
            throw new OciException($"unknown mount option \"{Printable.Shorten(option)}\": invalid mount option");
        }

        bool HasNumber(string name) =>
            option.StartsWith(name, StringComparison.Ordinal) && option.Length > name.Length
                && char.IsAsciiDigit(option[name.Length]);
    }
}
