using System.CommandLine;
using System.Globalization;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Lifecycle;

namespace OciTool.Cli.ContainerRuntime;

/// <summary>The options that <c>create</c> and <c>run</c> share.</summary>
internal sealed class CreationFlags
{
    private readonly Option<string> _bundle = new("--bundle", "-b")
    {
        Description = "Path to the root of the bundle directory (default the current directory)",
        DefaultValueFactory = _ => ".",
    };

    private readonly Option<string> _consoleSocket = new("--console-socket") { Description = "Path to a socket that gets the terminal" };
    private readonly Option<string> _pidFile = new("--pid-file") { Description = "The file to write the process ID to" };
    private readonly Option<bool> _noPivot = new("--no-pivot") { Description = "Not supported: the root is always changed by pivot_root" };
    private readonly Option<bool> _noNewKeyring = new("--no-new-keyring") { Description = "Do not create a new session keyring" };
    private readonly Option<bool> _noSubreaper = new("--no-subreaper") { Description = "Accepted, and without an effect" };
    private readonly Option<int> _preserve = new("--preserve-fds") { Description = "How many descriptors from 3 on the container gets" };

    /// <summary>Adds them to a verb.</summary>
    public CreationFlags(RuntimeVerb verb)
    {
        foreach (Option option in (Option[])[_bundle, _consoleSocket, _pidFile, _noPivot, _noNewKeyring, _noSubreaper, _preserve])
        {
            verb.Add(option);
        }
    }

    /// <summary>What they ask for.</summary>
    /// <exception cref="OciException">The bundle is not valid, or an option is not supported.</exception>
    public ContainerCreation Read(ParseResult command, RuntimeOptions options, string id)
    {
        if (command.GetValue(_noPivot))
        {
            throw new OciException("--no-pivot is not supported: without pivot_root a container can get at the host's root");
        }

        // an ID that is wrong or taken is told before anything else
        Bundle bundle = Bundle.Load(command.GetValue(_bundle)!);
        return new(options.States, id, Listening.AddTo(bundle, out int listening))
        {
            PidFile = command.GetValue(_pidFile),
            ConsoleSocket = command.GetValue(_consoleSocket),
            KeepsKeyring = command.GetValue(_noNewKeyring),
            PreservedDescriptors = Preserved(command.GetValue(_preserve) + listening),
            Systemd = options.Systemd,
            Warn = warning => command.InvocationConfiguration.Error.Write($"warning: {warning}\n"),
        };
    }

    /// <summary>Checks a number of descriptors that are to be passed on.</summary>
    /// <exception cref="OciException">One of them is not open.</exception>
    public static int Preserved(int count)
    {
        for (int i = 0; i < count; i++)
        {
            int number = Launcher.FirstPassed + i;
            if (!Descriptors.IsOpen(number))
            {
                throw new OciException(string.Create(
                    CultureInfo.InvariantCulture, $"--preserve-fds: descriptor {number} is not open"));
            }
        }

        return count >= 0 ? count : throw new OciException("--preserve-fds must not be negative");
    }

    /// <summary>Sockets that a service manager has opened for the container: sd_listen_fds(3).</summary>
    private static class Listening
    {
        internal static Bundle AddTo(Bundle bundle, out int count)
        {
            if (!int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), out count) || count <= 0)
            {
                count = 0;
                return bundle;
            }

            return bundle with
            {
                Spec = bundle.Spec with
                {
                    Process = bundle.Spec.Process! with
                    {
                        Env = [.. bundle.Spec.Process.Env ?? [], string.Create(CultureInfo.InvariantCulture, $"LISTEN_FDS={count}"), "LISTEN_PID=1"],
                    },
                },
            };
        }
    }
}
