using System.Globalization;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>
/// What a devices group of cgroup v1 allows: everything but some devices, or nothing but some. Its two files add and remove
/// exceptions, so that the way from one state to another is found here, without a moment in which a device that is
/// allowed before and after is not.
/// </summary>
internal sealed class DeviceList
{
    private readonly Dictionary<Device, DeviceAccess> _exceptions = [];

    /// <summary>Whether what is no exception is allowed.</summary>
    internal bool AllowsByDefault { get; private set; }

    /// <summary>The exceptions.</summary>
    internal IEnumerable<(char Type, long? Major, long? Minor, string Access)> Exceptions
    {
        get
        {
            foreach ((Device device, DeviceAccess access) in _exceptions)
            {
                if (access != DeviceAccess.None)
                {
                    yield return (device.Type, device.Major, device.Minor, Letters(access));
                }
            }
        }
    }

    /// <summary>Reads <c>devices.list</c>.</summary>
    /// <remarks>The kernel does not show the exceptions of a group that allows by default.</remarks>
    internal static DeviceList Parse(string text)
    {
        DeviceList list = new();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ', ':');
            if (words is ["a", ..])
            {
                return new() { AllowsByDefault = true };
            }

            if (words is ["b" or "c", _, _, _])
            {
                DeviceAccess access = (words[3].Contains('r', StringComparison.Ordinal) ? DeviceAccess.Read : DeviceAccess.None)
                    | (words[3].Contains('w', StringComparison.Ordinal) ? DeviceAccess.Write : DeviceAccess.None)
                    | (words[3].Contains('m', StringComparison.Ordinal) ? DeviceAccess.MakeNode : DeviceAccess.None);
                Device device = new(words[0][0], Number(words[1]), Number(words[2]));
                list._exceptions[device] = list._exceptions.GetValueOrDefault(device) | access;
            }
        }

        return list;
    }

    /// <summary>What rules come to.</summary>
    /// <exception cref="OciException">They cannot be said with cgroup v1.</exception>
    internal static DeviceList Of(ReadOnlySpan<DeviceFilterRule> rules)
    {
        DeviceList list = new();
        foreach (DeviceFilterRule rule in rules)
        {
            if (DeviceRules.IsAboutEverything(rule))
            {
                list.AllowsByDefault = rule.Allow;
                list._exceptions.Clear();
            }
            else if (rule.Type == 'a')
            {
                list.Apply(rule with { Type = 'b' });
                list.Apply(rule with { Type = 'c' });
            }
            else
            {
                list.Apply(rule);
            }
        }

        return list;
    }

    /// <summary>What is written to become another list.</summary>
    /// <param name="target">The other one.</param>
    /// <param name="isNew">Whether this list is a new group's, which has no exceptions that do not show.</param>
    internal List<(bool Allow, string Text)> WritesTo(DeviceList target, bool isNew)
    {
        List<(bool Allow, string Text)> writes = [];
        Dictionary<Device, DeviceAccess> old = _exceptions;
        bool same = AllowsByDefault == target.AllowsByDefault && (!AllowsByDefault || isNew);
        if (!same)
        {
            writes.Add((target.AllowsByDefault, "a"));
            old = [];
        }

        foreach ((Device device, DeviceAccess access) in old)
        {
            Add(target.AllowsByDefault, device, access & ~target._exceptions.GetValueOrDefault(device));
        }

        foreach ((Device device, DeviceAccess access) in target._exceptions)
        {
            Add(!target.AllowsByDefault, device, access & ~old.GetValueOrDefault(device));
        }

        return writes;

        void Add(bool allow, Device device, DeviceAccess access)
        {
            if (access != DeviceAccess.None)
            {
                writes.Add((allow, $"{device} {Letters(access)}"));
            }
        }
    }

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    private static string Letters(DeviceAccess access) =>
        (access.HasFlag(DeviceAccess.Read) ? "r" : "")
        + (access.HasFlag(DeviceAccess.Write) ? "w" : "")
        + (access.HasFlag(DeviceAccess.MakeNode) ? "m" : "");

    private void Apply(DeviceFilterRule rule)
    {
        Device device = new(rule.Type, rule.Major, rule.Minor);
        if (rule.Allow != AllowsByDefault)
        {
            _exceptions[device] = _exceptions.GetValueOrDefault(device) | rule.Access;
            return;
        }

        foreach (Device known in (Device[])[.. _exceptions.Keys])
        {
            if (device.Includes(known))
            {
                _exceptions[known] &= ~rule.Access;
            }
            else if (device.Meets(known) && (_exceptions[known] & rule.Access) != DeviceAccess.None)
            {
                // the kernel removes exceptions as a whole: a hole in one would silently not be there
                throw new OciException(
                    $"cannot {(rule.Allow ? "allow" : "deny")} device '{device}': cgroup v1 has no exceptions from the rule for '{known}'");
            }
        }
    }

    private readonly record struct Device(char Type, long? Major, long? Minor)
    {
        public override string ToString() => $"{Type} {Show(Major)}:{Show(Minor)}";

        internal bool Includes(Device other) =>
            Type == other.Type && (Major is null || Major == other.Major) && (Minor is null || Minor == other.Minor);

        internal bool Meets(Device other) => Type == other.Type
            && (Major is null || other.Major is null || Major == other.Major)
            && (Minor is null || other.Minor is null || Minor == other.Minor);

        private static string Show(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "*";
    }
}
