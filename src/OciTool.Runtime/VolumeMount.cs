using OciTool.Images;

namespace OciTool.Runtime;

/// <summary>A directory or file of the host, seen at a path in the container.</summary>
/// <param name="Source">An absolute path of the host; null for a volume of the container's own.</param>
/// <param name="Destination">A clean absolute path in the container.</param>
/// <param name="Options">Mount options beyond the defaults, in the order in which they were given.</param>
public sealed record VolumeMount(string? Source, string Destination, IReadOnlyList<string> Options)
{
    /// <summary>Parses the value of <c>--volume</c>: <c>[host-dir:]container-dir[:option[,option…]]</c>.</summary>
    /// <exception cref="OciException">It is not of that form, or asks for what we do not do.</exception>
    public static VolumeMount Parse(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length > 3)
        {
            throw new OciException(
                $"{Printable.Shorten(text)}: incorrect volume format, should be [host-dir:]ctr-dir[:option]");
        }

        IReadOnlyList<string> options = parts.Length > 2 ? ParseOptions(parts[2], text) : [];
        string destination = ContainerPath.Parse(parts.Length == 1 ? parts[0] : parts[1]);
        if (parts.Length == 1)
        {
            return new(null, destination, options);
        }

        string source = parts[0];
        return source.Length == 0 ? throw new OciException("host directory cannot be empty")
            : source[0] is '/' or '.' ? new(Path.GetFullPath(source), destination, options)
            : throw new OciException($"named volumes are not supported: '{Printable.Shorten(text)}'")
            {
                Hint = $"to mount a directory of the host, write ./{Printable.Shorten(source)}",
            };
    }

    /// <summary>The options of the mount, defaults included, as the runtime-spec has them.</summary>
    internal List<string> SpecOptions()
    {
        List<string> options = [];
        bool access = false;
        bool propagation = false;
        bool bind = false;
        bool recursive = !Options.Contains("bind");
        foreach (string option in Options)
        {
            if (option is "z" or "Z")
            {
                continue; // a relabelling for SELinux, which the runner does not confine with
            }

            access |= option is "ro" or "rw";
            propagation |= option is "private" or "rprivate";
            bind |= option is "bind" or "rbind";
            bool property = option is "ro" or "dev" or "nodev" or "suid" or "nosuid" or "exec" or "noexec";
            options.Add(property && recursive ? $"r{option}" : option); // what is mounted below is as protected
        }

        AddUnless(access, "rw");
        AddUnless(propagation, "rprivate");
        AddUnless(bind, "rbind");
        return options;

        void AddUnless(bool given, string option)
        {
            if (!given)
            {
                options.Add(option);
            }
        }
    }

    private static string[] ParseOptions(string text, string volume)
    {
        string[] options = text.Split(',');
        Exclusive(["rw", "ro"], "'rw' or 'ro'");
        Exclusive(["z", "Z"], "'z' or 'Z'");
        Exclusive(["private", "rprivate"], "'private' or 'rprivate'");
        Exclusive(["dev", "nodev"], "'dev' or 'nodev'");
        Exclusive(["suid", "nosuid"], "'suid' or 'nosuid'");
        Exclusive(["exec", "noexec"], "'exec' or 'noexec'");
        Exclusive(["bind", "rbind"], "'bind' or 'rbind'");
        foreach (string option in options)
        {
            switch (option)
            {
                case "rw" or "ro" or "z" or "Z" or "private" or "rprivate" or "dev" or "nodev" or "suid" or "nosuid"
                    or "exec" or "noexec" or "bind" or "rbind":
                    break;
                case "U" or "O" or "shared" or "rshared" or "slave" or "rslave" or "unbindable" or "runbindable"
                    or "copy" or "nocopy" or "idmap":
                    throw new OciException($"volume option '{option}' is not supported: '{Printable.Shorten(volume)}'");
                default:
                    throw new OciException($"invalid option type \"{Printable.Shorten(option)}\"");
            }
        }

        return options;

        void Exclusive(ReadOnlySpan<string> words, string description)
        {
            int count = 0;
            foreach (string option in options)
            {
                count += words.Contains(option) ? 1 : 0;
            }

            if (count > 1)
            {
                throw new OciException(
                    $"invalid options \"{Printable.Shorten(string.Join(", ", options))}\", can only specify 1 {description} option");
            }
        }
    }
}
