using OciTool.Images;
using OciTool.Runtime.Lifecycle;

namespace OciTool.Cli.ContainerRuntime;

/// <summary>The options before a verb of the runtime's command line: those of runc.</summary>
internal sealed record RuntimeOptions
{
    /// <summary>Where containers are remembered.</summary>
    public string Root { get; init; } = StateDirectory.Default;

    /// <summary>The file that errors are written to besides standard error; null for none.</summary>
    public string? Log { get; init; }

    /// <summary>Whether that file is JSON.</summary>
    public bool IsJson { get; init; }

    /// <summary>Whether systemd makes control groups.</summary>
    public bool Systemd { get; init; }

    /// <summary>Whether the version is asked for.</summary>
    public bool ShowVersion { get; init; }

    /// <summary>Whether help is asked for.</summary>
    public bool ShowHelp { get; init; }

    /// <summary>Where the verb stands.</summary>
    public int Next { get; init; }

    /// <summary>The containers.</summary>
    public StateDirectory States => new(Root);

    /// <summary>Reads what stands before the verb.</summary>
    /// <param name="args">The words behind the program's name.</param>
    /// <exception cref="UsageException">An option is unknown or lacks its value.</exception>
    public static RuntimeOptions Read(ReadOnlySpan<string> args)
    {
        RuntimeOptions options = new();
        int next = 0;
        while (next < args.Length && args[next].StartsWith('-'))
        {
            string word = args[next++];
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? word : word[..equals];
            string? value = equals < 0 ? null : word[(equals + 1)..];
            if (name is "--root" or "--log" or "--log-format" or "--log-level" or "--criu" or "--rootless" or "--cgroup-manager")
            {
                value ??= next < args.Length ? args[next++] : throw new UsageException($"flag needs an argument: {name}");
            }

            options = options.With(name, value, word);
        }

        return options with { Next = next };
    }

    private RuntimeOptions With(string name, string? value, string word) => name switch
    {
        "--root" => this with { Root = Path.GetFullPath(value!) },
        "--log" => this with { Log = value is "" or "/dev/stderr" ? null : value },
        "--log-format" => value is "json" or "text" or ""
            ? this with { IsJson = value == "json" }
            : throw new UsageException($"invalid log-format: {Printable.Escape(value!)}"),
        "--systemd-cgroup" => this with { Systemd = value is null or "true" or "1" },
        "--cgroup-manager" => value is "cgroupfs" or "systemd" or "disabled"
            ? this with { Systemd = value == "systemd" }
            : throw new UsageException($"invalid cgroup manager: {Printable.Escape(value!)}"),
        "--rootless" or "--criu" or "--log-level" or "--debug" => this,
        "--version" or "-v" => this with { ShowVersion = true },
        "--help" or "-h" => this with { ShowHelp = true },
        _ => throw new UsageException($"unknown flag: {Printable.Escape(word)}"),
    };
}
