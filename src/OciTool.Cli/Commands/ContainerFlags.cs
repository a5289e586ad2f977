using System.CommandLine;
using OciTool.Runtime;

namespace OciTool.Cli.Commands;

/// <summary>The options that say how a container is made.</summary>
internal sealed class ContainerFlags
{
    private readonly Option<string[]> _addHost = Many("--add-host", "strings", "Add a custom host-to-IP mapping (host:ip)");
    private readonly Option<string[]> _annotation = Many("--annotation", "strings", "Add annotations to container (key=value)");
    private readonly Option<string[]> _capAdd = Many("--cap-add", "strings", "Add capabilities to the container");
    private readonly Option<string[]> _capDrop = Many("--cap-drop", "strings", "Drop capabilities from the container");
    private readonly Option<string?> _cidFile = One("--cidfile", "string", "Write the container ID to the file");
    private readonly Option<string?> _entrypoint = One("--entrypoint", "string", "Overwrite the default ENTRYPOINT of the image");
    private readonly Option<string[]> _env = Many("--env", "stringArray", "Set environment variables in container", "-e");
    private readonly Option<string[]> _envFile = Many("--env-file", "strings", "Read in a file of environment variables");
    private readonly Option<string[]> _groupAdd = Many("--group-add", "strings", "Add additional groups to the primary container process");
    private readonly Option<string?> _hostname = One("--hostname", "string", "Set container hostname", "-h");
    private readonly Option<bool> _init = Switch("--init", "Run an init inside the container that forwards signals and reaps processes");
    private readonly Option<bool> _interactive = Switch("--interactive", "Keep STDIN open even if not attached", "-i");
    private readonly Option<string[]> _label = Many("--label", "stringArray", "Set metadata on container", "-l");
    private readonly Option<string?> _name = One("--name", "string", "Assign a name to the container");
    private readonly Option<string?> _network = One("--network", "string", "Connect a container to a network (\"host\"|\"none\") (default \"host\")", "--net");
    private readonly Option<bool> _privileged = Switch("--privileged", "Give extended privileges to container");
    private readonly Option<bool> _readOnly = Switch("--read-only", "Make containers root filesystem read-only");
    private readonly Option<string[]> _securityOpt = Many("--security-opt", "stringArray", "Security options (no-new-privileges, seccomp=PROFILE|unconfined)");
    private readonly Option<string[]> _tmpfs = Many("--tmpfs", "tmpfs", "Mount a temporary filesystem (tmpfs) into a container");
    private readonly Option<bool> _tty = Switch("--tty", "Allocate a pseudo-TTY for container", "-t");
    private readonly Option<string[]> _ulimit = Many("--ulimit", "strings", "Ulimit options");
    private readonly Option<string?> _user = One("--user", "string", "Username or UID (format: <name|uid>[:<group|gid>])", "-u");
    private readonly Option<string[]> _volume = Many("--volume", "stringArray", "Bind mount a volume into the container", "-v");
    private readonly Option<string?> _workdir = One("--workdir", "string", "Working directory inside the container", "-w");

    /// <summary>Adds the options to a verb.</summary>
    public ContainerFlags(Command verb)
    {
        foreach (Option option in (ReadOnlySpan<Option>)
            [
                _addHost, _annotation, _capAdd, _capDrop, _cidFile, _entrypoint, _env, _envFile, _groupAdd, _hostname, _init,
                _interactive, _label, _name, _network, _privileged, _readOnly, _securityOpt, _tmpfs, _tty, _ulimit, _user,
                _volume, _workdir,
            ])
        {
            verb.Add(option);
        }
    }

    /// <summary>What the command line says of the container.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="words">The words behind the image.</param>
    public RunOptions Read(ParseResult command, string[] words)
    {
        (bool noNewPrivileges, string? seccomp) = ReadSecurity(command.GetValue(_securityOpt) ?? []);
        return new RunOptions
        {
            Command = words,
            Entrypoint = command.GetValue(_entrypoint) is { } entrypoint ? ContainerCommand.ParseEntrypoint(entrypoint) : null,
            Env = command.GetValue(_env) ?? [],
            EnvFiles = command.GetValue(_envFile) ?? [],
            User = command.GetValue(_user),
            GroupAdd = Split(command.GetValue(_groupAdd)),
            WorkingDirectory = command.GetValue(_workdir),
            Hostname = command.GetValue(_hostname),
            Terminal = command.GetValue(_tty),
            Interactive = command.GetValue(_interactive),
            ReadOnly = command.GetValue(_readOnly),
            Privileged = command.GetValue(_privileged),
            NoNewPrivileges = noNewPrivileges,
            SeccompProfile = seccomp,
            CapAdd = Split(command.GetValue(_capAdd)),
            CapDrop = Split(command.GetValue(_capDrop)),
            Network = ReadNetwork(command.GetValue(_network)),
            Volumes = Array.ConvertAll(command.GetValue(_volume) ?? [], VolumeMount.Parse),
            Tmpfs = Array.ConvertAll(command.GetValue(_tmpfs) ?? [], TmpfsMount.Parse),
            Init = command.GetValue(_init),
            Ulimits = Array.ConvertAll(Split(command.GetValue(_ulimit)), Ulimit.Parse),
            Annotations = ReadPairs(command.GetValue(_annotation), "annotation"),
            AddHosts = Split(command.GetValue(_addHost)),
        };
    }

    /// <summary><c>--name</c>, or null.</summary>
    public string? ReadName(ParseResult command) => command.GetValue(_name);

    /// <summary><c>--cidfile</c>, or null.</summary>
    public string? ReadCidFile(ParseResult command) => command.GetValue(_cidFile);

    /// <summary><c>--label</c>.</summary>
    public IReadOnlyDictionary<string, string> ReadLabels(ParseResult command) => ReadPairs(command.GetValue(_label), "label");

    private static NetworkMode ReadNetwork(string? network) => network switch
    {
        null or "host" => NetworkMode.Host,
        "none" => NetworkMode.None,
        _ => throw new UsageException(
            $"unable to find network with name or ID {Images.Printable.Shorten(network)}: network not found")
        {
            Hint = "this version has the networks host and none",
        },
    };

    private static (bool NoNewPrivileges, string? Seccomp) ReadSecurity(string[] options)
    {
        bool noNewPrivileges = false;
        string? seccomp = null;
        foreach (string option in options)
        {
            // docker's older form has a colon
            int at = option.AsSpan().IndexOfAny('=', ':');
            (string name, string? value) = at < 0 ? (option, null) : (option[..at], option[(at + 1)..]);
            switch (name, value)
            {
                case ("no-new-privileges", null or "true"):
                    noNewPrivileges = true;
                    break;
                case ("no-new-privileges", "false"):
                    noNewPrivileges = false;
                    break;
                case ("seccomp", { Length: > 0 }):
                    seccomp = value;
                    break;
                case ("label", "disable"): // SELinux labels are not set anyway
                    break;
                default:
                    throw new UsageException($"invalid --security-opt: {Images.Printable.Shorten(option)}")
                    {
                        Hint = "no-new-privileges, seccomp=unconfined and seccomp=PROFILE.json are supported",
                    };
            }
        }

        return (noNewPrivileges, seccomp);
    }

    private static Dictionary<string, string> ReadPairs(string[]? texts, string what)
    {
        Dictionary<string, string> pairs = [];
        foreach (string text in texts ?? [])
        {
            int at = text.IndexOf('=', StringComparison.Ordinal);
            string key = at < 0 ? text : text[..at];
            if (key.Length == 0)
            {
                throw new UsageException($"invalid {what} '{Images.Printable.Shorten(text)}': want key=value");
            }

            pairs[key] = at < 0 ? "" : text[(at + 1)..];
        }

        return pairs;
    }

    // podman's string slices take several values behind commas
    private static string[] Split(string[]? values)
    {
        List<string> split = [];
        foreach (string value in values ?? [])
        {
            split.AddRange(value.Split(','));
        }

        return [.. split];
    }

    private static Option<string?> One(string name, string type, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = type };

    private static Option<string[]> Many(string name, string type, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = type };

    private static Option<bool> Switch(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description };
}
