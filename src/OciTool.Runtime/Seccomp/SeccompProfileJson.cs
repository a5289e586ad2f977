using System.Text.Json.Serialization;

namespace OciTool.Runtime.Seccomp;

/// <summary>A profile in the format of containers-common: rules with conditions on the container and the machine.</summary>
internal sealed record ProfileDocument(string DefaultAction)
{
    public uint? DefaultErrnoRet { get; init; }

    public string? DefaultErrno { get; init; }

    public IReadOnlyList<string>? Architectures { get; init; }

    public IReadOnlyList<ProfileArchitecture>? ArchMap { get; init; }

    public IReadOnlyList<string>? Flags { get; init; }

    public IReadOnlyList<ProfileRule>? Syscalls { get; init; }
}

internal sealed record ProfileArchitecture(string Architecture)
{
    public IReadOnlyList<string>? SubArchitectures { get; init; }
}

internal sealed record ProfileRule(string Action)
{
    public string? Name { get; init; }

    public IReadOnlyList<string>? Names { get; init; }

    public uint? ErrnoRet { get; init; }

    public string? Errno { get; init; }

    public IReadOnlyList<ProfileArgument>? Args { get; init; }

    public ProfileCondition? Includes { get; init; }

    public ProfileCondition? Excludes { get; init; }
}

internal sealed record ProfileArgument(uint Index, ulong Value, string Op)
{
    public ulong? ValueTwo { get; init; }
}

internal sealed record ProfileCondition
{
    public IReadOnlyList<string>? Caps { get; init; }

    public IReadOnlyList<string>? Arches { get; init; }

    public string? MinKernel { get; init; }
}

/// <summary>Reads profiles without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(ProfileDocument))]
internal sealed partial class SeccompProfileJson : JsonSerializerContext;
