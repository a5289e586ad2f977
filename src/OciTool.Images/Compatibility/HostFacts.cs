using System.Text.Json;
using System.Text.Json.Serialization;

namespace OciTool.Images.Compatibility;

/// <summary>What is known of a machine that an image is to run on; <c>oci info --host-facts</c> writes it for decisions elsewhere.</summary>
/// <remarks>A member that is null was not found out: a check that needs it says unknown.</remarks>
public sealed record HostFacts
{
    /// <summary>The version of this shape.</summary>
    public const int CurrentSchema = 1;

    /// <summary>The system call for times of 64 bits, which programs of 32 bits make; tried by one of them.</summary>
    public const string WideTimeCall = "clock_gettime64";

    /// <summary>The version of the shape that was read.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>When the facts were taken, RFC 3339; null for a machine that is looked at now.</summary>
    public string? Now { get; init; }

    /// <summary>The architecture, a GOARCH value.</summary>
    public string? Architecture { get; init; }

    /// <summary>The level of the processor as a platform variant, for example <c>v3</c>.</summary>
    public string? Variant { get; init; }

    /// <summary>The release of the kernel, as uname(2) has it.</summary>
    public string? Kernel { get; init; }

    /// <summary>The size of a page of memory, in bytes.</summary>
    public int? PageSize { get; init; }

    /// <summary>What the host's os-release assigns.</summary>
    public IReadOnlyDictionary<string, string>? OsRelease { get; init; }

    /// <summary>What became of a tiny program of each architecture: <c>runs</c>, <c>ENOEXEC</c>, <c>ENOENT</c> or a signal.</summary>
    public IReadOnlyDictionary<string, string>? Executes { get; init; }

    /// <summary>The handlers of foreign programs in binfmt_misc; null where they cannot be seen.</summary>
    public IReadOnlyList<ForeignHandler>? Handlers { get; init; }

    /// <summary>What the kernel answered to a call with invalid arguments, by the call's name: <c>ok</c>, <c>ENOSYS</c> or <c>EPERM</c>.</summary>
    public IReadOnlyDictionary<string, string>? SystemCalls { get; init; }

    /// <summary><c>v1</c>, <c>hybrid</c>, <c>v2</c> or <c>none</c>.</summary>
    public string? Cgroups { get; init; }

    /// <summary>Whether the user is root in the initial user namespace's sense: nothing has to be mapped.</summary>
    public bool? IsRoot { get; init; }

    /// <summary>The user IDs that a container can have: the first one that is not mapped.</summary>
    public long? MappedUsers { get; init; }

    /// <summary>The group IDs that a container can have: the first one that is not mapped.</summary>
    public long? MappedGroups { get; init; }

    /// <summary>The settings that may forbid user namespaces, by their names below <c>/proc/sys</c>.</summary>
    public IReadOnlyDictionary<string, string>? UserNamespaceSettings { get; init; }

    /// <summary>Whether a user namespace could be made: <c>ok</c> or the error.</summary>
    public string? UserNamespace { get; init; }

    /// <summary>The file system of the store.</summary>
    public StoreFacts? Store { get; init; }

    /// <summary>The kernel's release as numbers.</summary>
    [JsonIgnore]
    public KernelVersion? KernelNumber => KernelVersion.TryParse(Kernel, out KernelVersion version) ? version : null;

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="bytes">The document.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="OciException">It is no such document.</exception>
    public static HostFacts Parse(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            HostFacts? facts = JsonSerializer.Deserialize(bytes, CompatibilityJson.Default.HostFacts);
            return facts is { Schema: CurrentSchema }
                ? facts
                : throw new OciException($"host facts '{name}': schema {facts?.Schema} is not {CurrentSchema}");
        }
        catch (JsonException e)
        {
            throw new OciException($"host facts '{name}': {Printable.Shorten(e.Message)}", e)
            {
                Hint = "write them with oci info --host-facts",
            };
        }
    }

    /// <summary>The document.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, CompatibilityJson.Default.HostFacts);
}

/// <summary>A handler of foreign programs.</summary>
/// <param name="Name">Its name in <c>/proc/sys/fs/binfmt_misc</c>.</param>
/// <param name="Interpreter">The program that runs them.</param>
/// <param name="Flags">For example <c>OCF</c>; with F the interpreter was opened when the handler was made.</param>
/// <param name="Offset">Where the magic stands.</param>
/// <param name="Magic">The bytes that it handles, as hexadecimal digits; empty for an extension.</param>
/// <param name="Mask">Which bits of them count, as hexadecimal digits; empty for all.</param>
public sealed record ForeignHandler(string Name, string Interpreter, string Flags, int Offset, string Magic, string Mask)
{
    /// <summary>Whether it is enabled.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Whether its interpreter need not be in the image.</summary>
    [JsonIgnore]
    public bool IsFixed => Flags.Contains('F', StringComparison.Ordinal);

    /// <summary>Whether it handles a file that begins like this.</summary>
    /// <param name="start">The first bytes, 256 at most.</param>
    public bool Handles(ReadOnlySpan<byte> start)
    {
        byte[]? magic = TryHex(Magic), mask = TryHex(Mask);
        if (magic is null or [] || mask is null || Offset < 0 || (long)Offset + magic.Length > start.Length)
        {
            return false;
        }

        for (int i = 0; i < magic.Length; i++)
        {
            byte bits = i < mask.Length ? mask[i] : (byte)0xff;
            if ((start[Offset + i] & bits) != (magic[i] & bits))
            {
                return false;
            }
        }

        return true;
    }

    private static byte[]? TryHex(string text)
    {
        byte[] bytes = new byte[text.Length / 2];
        return Convert.FromHexString(text, bytes, out _, out int written) == System.Buffers.OperationStatus.Done && written == bytes.Length ? bytes : null;
    }
}

/// <summary>What the file system of the store can keep.</summary>
/// <param name="FileSystem">Its type, for example <c>ext4</c>.</param>
/// <param name="Form">How layers are kept: <c>erofs</c> or <c>directory</c>.</param>
/// <param name="Xattrs">Whether extended attributes of the user can be set there.</param>
/// <param name="CaseSensitive">Whether names that differ in case only are two.</param>
public sealed record StoreFacts(string FileSystem, string Form, bool Xattrs, bool CaseSensitive);

/// <summary>The documents of compatibility checks; written rarely, so the serializer's tables do no harm.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(HostFacts))]
[JsonSerializable(typeof(CompatibilityReport))]
internal sealed partial class CompatibilityJson : JsonSerializerContext;
