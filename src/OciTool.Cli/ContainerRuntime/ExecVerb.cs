using System.CommandLine;
using System.Globalization;
using OciTool.Images;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Cli.ContainerRuntime;

/// <summary><c>exec</c>: runs one more process in a container.</summary>
internal sealed class ExecVerb : RuntimeVerb
{
    private readonly Argument<string[]> _command = new("COMMAND")
    {
        Description = "The command and its arguments.",
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true,
    };

    private readonly Option<string> _process;
    private readonly Option<string> _cwd;
    private readonly Option<string[]> _env;
    private readonly Option<string> _user;
    private readonly Option<string[]> _groups;
    private readonly Option<string[]> _capabilities;
    private readonly Option<bool> _terminal;
    private readonly Option<bool> _noNewPrivileges;

    public ExecVerb()
        : base("exec", "Run one more process in a container")
    {
        Operands = "CONTAINER [COMMAND [ARG...]]";
        Examples = ["runtime exec -t web sh", "runtime exec --process process.json --detach --pid-file /run/p.pid web"];
        OptionsEndAtOperand = true;
        OwnsSignals = true;
        Add(Id);
        Add(_command);
        _process = With<string>("--process", "A file with the process as JSON", "-p");
        _cwd = With<string>("--cwd", "The working directory");
        _env = With<string[]>("--env", "A variable to set, as NAME=value", "-e");
        _user = With<string>("--user", "The user, as UID[:GID]", "-u");
        _groups = With<string[]>("--additional-gids", "Additional groups", "-g");
        _capabilities = With<string[]>("--cap", "A capability to add", "-c");
        _terminal = With<bool>("--tty", "Give it a terminal", "-t");
        _noNewPrivileges = With<bool>("--no-new-privs", "Let it gain no privileges");
        Option<bool> detach = With<bool>("--detach", "Do not wait for it", "-d");
        Option<string> consoleSocket = With<string>("--console-socket", "Path to a socket that gets the terminal");
        Option<string> pidFile = With<string>("--pid-file", "The file to write the process ID to");
        Option<int> preserve = With<int>("--preserve-fds", "How many descriptors from 3 on it gets");
        Option<string[]> cgroup = With<string[]>("--cgroup", "Run it in a group below the container's");
        Option<bool> ignorePaused = With<bool>("--ignore-paused", "Run it in a paused container, too");
        With<bool>("--no-subreaper", "Accepted, and without an effect").Hidden = true;
        With<string>("--process-label", "The SELinux label").Hidden = true;
        With<string>("--apparmor", "The AppArmor profile").Hidden = true;
        SetAction(command =>
        {
            ContainerExec exec = new(Find(command), command.GetRequiredValue(Id))
            {
                PidFile = command.GetValue(pidFile),
                ConsoleSocket = command.GetValue(consoleSocket),
                PreservedDescriptors = CreationFlags.Preserved(command.GetValue(preserve)),
                Cgroups = command.GetValue(cgroup) ?? [],
                IgnoresPause = command.GetValue(ignorePaused),
                Warn = warning => command.InvocationConfiguration.Error.Write($"warning: {warning}\n"),
            };
            ProcessSpec process = command.GetValue(_process) is { } path
                ? Bundle.LoadProcess(path)
                : Compose(command, exec.Process);
            return exec.Run(
                command.GetValue(_terminal) ? process with { Terminal = true } : process, command.GetValue(detach));
        });
    }

    private ProcessSpec Compose(ParseResult command, ProcessSpec container)
    {
        string[] arguments = command.GetValue(_command) ?? [];
        if (arguments.Length == 0)
        {
            throw new UsageException("exec needs a command, or --process");
        }

        UserSpec user = command.GetValue(_user) is { Length: > 0 } text ? ParseUser(text) : container.User;
        string[] added = command.GetValue(_capabilities) ?? [];
        return container with
        {
            Args = arguments,
            Terminal = false,
            ConsoleSize = null,
            Cwd = command.GetValue(_cwd) ?? container.Cwd,
            Env = [.. container.Env ?? [], .. command.GetValue(_env) ?? []],
            User = user with { AdditionalGids = [.. user.AdditionalGids ?? [], .. (command.GetValue(_groups) ?? []).Select(ParseId)], Umask = container.User.Umask },
            NoNewPrivileges = command.GetValue(_noNewPrivileges) ? true : container.NoNewPrivileges,
            Capabilities = added.Length == 0 ? container.Capabilities : Add(container.Capabilities ?? new(), added),
        };
    }

    private static CapabilitiesSpec Add(CapabilitiesSpec sets, string[] added) => sets with
    {
        Bounding = [.. sets.Bounding ?? [], .. added],
        Effective = [.. sets.Effective ?? [], .. added],
        Permitted = [.. sets.Permitted ?? [], .. added],
    };

    // numbers only, and nothing but them: a wrong reading would be a wrong user (CVE-2026-30892)
    private static UserSpec ParseUser(string text)
    {
        string[] ids = text.Split(':');
        return ids.Length <= 2
            ? new(ParseId(ids[0]), ids.Length == 2 ? ParseId(ids[1]) : 0)
            : throw new OciException($"invalid user '{Printable.Shorten(text)}': it is not UID[:GID]");
    }

    private static uint ParseId(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id <= int.MaxValue
            ? id
            : throw new OciException($"invalid ID '{Printable.Shorten(text)}': it is not a number from 0 to {int.MaxValue}");
}
