using System.Text.Json.Serialization;

namespace OciTool.Runtime.Cgroups;

/// <summary>A container's directory in one hierarchy.</summary>
/// <param name="Path">The directory.</param>
/// <param name="Controllers">The controllers of cgroup v1, or <c>name=NAME</c>; none for the hierarchy of cgroup v2.</param>
public sealed record CgroupDirectory(string Path, IReadOnlyList<string> Controllers)
{
    /// <summary>Whether it is of cgroup v2.</summary>
    [JsonIgnore]
    public bool IsUnified => Controllers.Count == 0;

    /// <summary>Whether it has a controller of cgroup v1.</summary>
    /// <param name="controller">The controller.</param>
    public bool Has(string controller)
    {
        foreach (string own in Controllers)
        {
            if (own == controller)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>What later commands find a container's groups by.</summary>
/// <param name="Directories">Its directories.</param>
public sealed record CgroupRecord(IReadOnlyList<CgroupDirectory> Directories)
{
    /// <summary>The scope of systemd; null where the group is made without it.</summary>
    public string? SystemdUnit { get; init; }
}

/// <summary>Reads and writes the documents about groups without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CgroupStatistics))]
public sealed partial class CgroupJson : JsonSerializerContext;
