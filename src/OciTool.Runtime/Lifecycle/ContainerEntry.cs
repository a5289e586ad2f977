using System.Text.Json.Serialization;
using OciTool.Runtime.Cgroups;

namespace OciTool.Runtime.Lifecycle;

/// <summary>What is remembered of a container between two calls: <c>state.json</c> in its state directory.</summary>
/// <param name="Id">Its ID.</param>
/// <param name="Bundle">The absolute path of its bundle.</param>
/// <param name="Rootfs">The absolute path of its root.</param>
/// <param name="Created">When it was made.</param>
internal sealed record ContainerEntry(string Id, string Bundle, string Rootfs, DateTimeOffset Created)
{
    /// <summary>Its first process as the host numbers it; 0 before there is one.</summary>
    public int Pid { get; init; }

    /// <summary>When that process was started, in ticks of the machine's life: a number may come to mean another process.</summary>
    public ulong StartTime { get; init; }

    /// <summary>Whether create has done all its work.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Its control groups; null for none.</summary>
    public CgroupRecord? Cgroup { get; init; }

    /// <summary>Whether it has a PID namespace of its own, so that nothing of it outlives its first process.</summary>
    public bool HasPids { get; init; }

    /// <summary>The annotations of its configuration.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>Reads and writes entries without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerEntry))]
internal sealed partial class LifecycleJson : JsonSerializerContext;
