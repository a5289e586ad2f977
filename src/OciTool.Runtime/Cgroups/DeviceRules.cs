using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups;

/// <summary>The device rules of the specification, checked.</summary>
public static class DeviceRules
{
    /// <summary>
    /// What every container may use whatever its rules are, for these devices are always there (config-linux.md, "Default
    /// Devices"): any node may be made, and null, zero, full, random, urandom, tty, console, ptmx and terminals opened.
    /// </summary>
    public static IReadOnlyList<DeviceRule> Default { get; } =
    [
        new(true) { Type = "c", Access = "m" },
        new(true) { Type = "b", Access = "m" },
        Character(1, 3),
        Character(1, 5),
        Character(1, 7),
        Character(1, 8),
        Character(1, 9),
        Character(5, 0),
        Character(5, 1),
        Character(5, 2),
        Character(136, null),
    ];

    /// <summary>Checks rules.</summary>
    /// <exception cref="OciException">A rule is about no device or access that there is.</exception>
    internal static DeviceFilterRule[] Parse(IReadOnlyList<DeviceRule> rules, bool withDefaults)
    {
        DeviceFilterRule[] parsed = new DeviceFilterRule[rules.Count + (withDefaults ? Default.Count : 0)];
        for (int i = 0; i < parsed.Length; i++)
        {
            parsed[i] = Parse(i < rules.Count ? rules[i] : Default[i - rules.Count]);
        }

        return parsed;
    }

    /// <summary>Whether rules end by allowing everything.</summary>
    internal static bool AllowEverything(ReadOnlySpan<DeviceFilterRule> rules)
    {
        bool everything = false;
        foreach (DeviceFilterRule rule in rules)
        {
            everything = rule.Allow ? everything || IsAboutEverything(rule) : everything && rule.Access == DeviceAccess.None;
        }

        return everything;
    }

    internal static bool IsAboutEverything(DeviceFilterRule rule) => rule is
    {
        Type: 'a', Major: null, Minor: null, Access: DeviceAccess.All,
    };

    private static DeviceRule Character(long major, long? minor) =>
        new(true) { Type = "c", Major = major, Minor = minor, Access = "rwm" };

    private static DeviceFilterRule Parse(DeviceRule rule)
    {
        char type = rule.Type switch
        {
            null or "" or "a" => 'a',
            "b" => 'b',
            "c" or "u" => 'c',
            _ => throw new OciException($"invalid device rule: '{Printable.Shorten(rule.Type)}' is no type of device"),
        };
        DeviceAccess access = string.IsNullOrEmpty(rule.Access) ? DeviceAccess.All : DeviceAccess.None;
        foreach (char letter in rule.Access ?? "")
        {
            access |= letter switch
            {
                'r' => DeviceAccess.Read,
                'w' => DeviceAccess.Write,
                'm' => DeviceAccess.MakeNode,
                _ => throw new OciException($"invalid device rule: '{Printable.Shorten(rule.Access!)}' is no access"),
            };
        }

        return new(rule.Allow, type, rule.Major is >= 0 ? rule.Major : null, rule.Minor is >= 0 ? rule.Minor : null, access);
    }
}
