using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OciTool.Images;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Cli.ContainerRuntime;

/// <summary><c>update</c>: changes the limits of a container.</summary>
internal sealed class UpdateVerb : RuntimeVerb
{
    private readonly Option<string> _resources;
    private readonly Option<string> _memory;
    private readonly Option<string> _reservation;
    private readonly Option<string> _swap;
    private readonly Option<long?> _pids;
    private readonly Option<ulong?> _shares;
    private readonly Option<long?> _quota;
    private readonly Option<ulong?> _period;
    private readonly Option<ulong?> _burst;
    private readonly Option<long?> _realtimeRuntime;
    private readonly Option<ulong?> _realtimePeriod;
    private readonly Option<long?> _idle;
    private readonly Option<string> _cpus;
    private readonly Option<string> _mems;
    private readonly Option<ushort?> _weight;

    public UpdateVerb()
        : base("update", "Change the limits of a container")
    {
        Examples = ["runtime update --memory 512M --pids-limit 100 web", "runtime update --resources - web"];
        Add(Id);
        _resources = With<string>("--resources", "A file with linux.resources as JSON, or - for standard input", "-r");
        _memory = With<string>("--memory", "The most memory, in bytes or with k, m, g");
        _reservation = With<string>("--memory-reservation", "What is left to it while memory is short");
        _swap = With<string>("--memory-swap", "The most memory and swap; -1 for no limit");
        _pids = With<long?>("--pids-limit", "The most processes; -1 for no limit");
        _shares = With<ulong?>("--cpu-share", "The share of processor time");
        _quota = With<long?>("--cpu-quota", "The processor time in a period, in microseconds");
        _period = With<ulong?>("--cpu-period", "The length of a period, in microseconds");
        _burst = With<ulong?>("--cpu-burst", "The unused time that may be used on top, in microseconds");
        _realtimeRuntime = With<long?>("--cpu-rt-runtime", "The time of real-time tasks in a period, in microseconds");
        _realtimePeriod = With<ulong?>("--cpu-rt-period", "The length of a real-time period, in microseconds");
        _idle = With<long?>("--cpu-idle", "1 to run only when nothing else does");
        _cpus = With<string>("--cpuset-cpus", "The processors, such as 0-2,7");
        _mems = With<string>("--cpuset-mems", "The memory nodes");
        _weight = With<ushort?>("--blkio-weight", "The share of block devices, 10 to 1000");
        SetAction(command =>
        {
            RuntimeContainer container = Find(command);
            if (container.Status == "stopped")
            {
                throw new OciException("container not running");
            }

            Cgroup groups = container.Groups ?? throw new OciException("the container has no cgroup");
            groups.Update(command.GetValue(_resources) is { } path ? ReadFile(path) : ReadFlags(command));
            return ExitCode.Success;
        });
    }

    private static ResourcesSpec ReadFile(string path)
    {
        byte[] document = Bundle.Read(path == "-" ? "/dev/stdin" : path, "resources");
        return Bundle.Parse(() => RuntimeSpecReader.ReadResources(document), path);
    }

    private ResourcesSpec ReadFlags(ParseResult command) => new()
    {
        Memory = new()
        {
            Limit = Bytes(command, _memory),
            Reservation = Bytes(command, _reservation),
            Swap = Bytes(command, _swap),
        },
        Cpu = new()
        {
            Shares = command.GetValue(_shares),
            Quota = command.GetValue(_quota),
            Period = command.GetValue(_period),
            Burst = command.GetValue(_burst),
            RealtimeRuntime = command.GetValue(_realtimeRuntime),
            RealtimePeriod = command.GetValue(_realtimePeriod),
            Idle = command.GetValue(_idle),
            Cpus = command.GetValue(_cpus),
            Mems = command.GetValue(_mems),
        },
        Pids = command.GetValue(_pids) is { } limit ? new(limit) : null,
        BlockIO = command.GetValue(_weight) is { } weight ? new() { Weight = weight } : null,
    };

    private static long? Bytes(ParseResult command, Option<string> option)
    {
        if (command.GetValue(option) is not { Length: > 0 } text)
        {
            return null;
        }

        string digits = text.TrimEnd('b', 'B');
        int shift = digits.Length == 0 ? 0 : char.ToLowerInvariant(digits[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        return long.TryParse(shift > 0 ? digits[..^1] : digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            && number >= -1 && number <= long.MaxValue >> shift
                ? number < 0 ? -1 : number << shift
                : throw new OciException($"invalid value for {option.Name}: '{Printable.Shorten(text)}'");
    }
}
