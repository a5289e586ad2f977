using System.Text.Json;
using System.Text.Json.Serialization;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;

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

    /// <summary>Its hooks, if some are still to be run.</summary>
    public HooksSpec? Hooks { get; init; }

    /// <summary>Reads an entry.</summary>
    /// <exception cref="JsonException">It is damaged.</exception>
    public static ContainerEntry Read(ReadOnlyMemory<byte> document) => SpecNode.Read(document, static node =>
        new ContainerEntry(node.Text("id"), node.Text("bundle"), node.Text("rootfs"), node.Time("created"))
        {
            Pid = node.Number<int>("pid"),
            StartTime = node.Number<ulong>("startTime"),
            IsCreated = node.Boolean("isCreated"),
            Cgroup = node.OptionalObject("cgroup", static groups =>
                new CgroupRecord(groups.Objects("directories", Directory) ?? throw groups.Missing("directories"))
                {
                    SystemdUnit = groups.OptionalText("systemdUnit"),
                }),
            HasPids = node.Boolean("hasPids"),
            Annotations = node.TextMap("annotations"),
            Hooks = node.OptionalObject("hooks", RuntimeSpecReader.Hooks),
        });

    private static CgroupDirectory Directory(SpecNode node) =>
        new(node.Text("path"), node.Texts("controllers") ?? throw node.Missing("controllers"));
}

/// <summary>Writes entries as <see cref="RuntimeJson"/> writes its documents.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Serialization,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerEntry))]
internal sealed partial class LifecycleJson : JsonSerializerContext
{
    public static void Write(Utf8JsonWriter json, ContainerEntry entry) => Default.ContainerEntrySerializeHandler(json, entry);
}
