using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>Leaves capabilities out that nobody knows: one of a newer kernel is a warning, by the specification, and no error.</summary>
internal static class KnownCapabilities
{
    /// <summary>A process without them.</summary>
    /// <param name="process">The process.</param>
    /// <param name="warn">Told of each.</param>
    public static ProcessSpec Of(ProcessSpec process, Action<string>? warn)
    {
        if (process.Capabilities is not { } sets)
        {
            return process;
        }

        HashSet<string> unknown = [];
        CapabilitiesSpec known = new()
        {
            Bounding = Filter(sets.Bounding),
            Effective = Filter(sets.Effective),
            Inheritable = Filter(sets.Inheritable),
            Permitted = Filter(sets.Permitted),
            Ambient = Filter(sets.Ambient),
        };
        foreach (string name in unknown)
        {
            warn?.Invoke($"ignoring unknown capability {Printable.Shorten(name)}");
        }

        return process with { Capabilities = known };

        List<string> Filter(IReadOnlyList<string>? names)
        {
            List<string> kept = [];
            foreach (string name in names ?? [])
            {
                if (default(CapabilitySet).TryAdd(name, out _))
                {
                    kept.Add(name);
                }
                else
                {
                    unknown.Add(name);
                }
            }

            return kept;
        }
    }
}
