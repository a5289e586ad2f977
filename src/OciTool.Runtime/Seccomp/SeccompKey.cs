using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Seccomp;

/// <summary>The keys of <see cref="SeccompCache"/>: all that a program depends on.</summary>
internal static class SeccompKey
{
    // raised when the compiler or the embedded profile changes its result for the same input
    private const int Format = 3;

    private static readonly string[] LibraryPaths =
    [
        "/usr/lib/x86_64-linux-gnu/libseccomp.so.2", "/usr/lib/aarch64-linux-gnu/libseccomp.so.2",
        "/usr/lib64/libseccomp.so.2", "/usr/lib/libseccomp.so.2",
    ];

    /// <summary>The key of a profile of containers-common, which is told by its file's identity and not read.</summary>
    /// <param name="path">The profile; null for the embedded one.</param>
    /// <param name="capabilities">The container's bounding set.</param>
    internal static byte[] OfProfile(string? path, IReadOnlyList<string> capabilities)
    {
        StringBuilder key = Machine("profile");
        AppendIdentity(key, path);
        return Encoding.UTF8.GetBytes(key.AppendJoin(' ', capabilities).Append('\n').ToString());
    }

    /// <summary>The key of a filter of a config.json: the filter itself, without what the program does not depend on.</summary>
    internal static byte[] OfSpec(SeccompSpec spec) =>
        [.. Encoding.UTF8.GetBytes(Machine("spec").ToString()), .. RuntimeJson.ToBytes(spec, Write)];

    // lists in lists, for JSON keeps one text from running into the next; not the serializer's, whose way to an optional number is long
    private static void Write(Utf8JsonWriter json, SeccompSpec spec)
    {
        json.WriteStartArray();
        json.WriteStringValue(spec.DefaultAction);
        Write(json, spec.DefaultErrnoRet);
        Write(json, spec.Architectures);
        foreach (SyscallRule rule in spec.Syscalls ?? [])
        {
            json.WriteStartArray();
            Write(json, rule.Names);
            json.WriteStringValue(rule.Action);
            Write(json, rule.ErrnoRet);
            Write(json, rule.Args);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ulong? number)
    {
        if (number is { } value)
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<SyscallArgument>? arguments)
    {
        if (arguments is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (SyscallArgument argument in arguments)
        {
            json.WriteStartArray();
            json.WriteNumberValue(argument.Index);
            json.WriteNumberValue(argument.Value);
            Write(json, argument.ValueTwo);
            json.WriteStringValue(argument.Op);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<string>? texts)
    {
        if (texts is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static StringBuilder Machine(string kind)
    {
        StringBuilder key = new();
        key.Append(CultureInfo.InvariantCulture, $"{Format} {kind} {RuntimeInformation.ProcessArchitecture} ")
            .Append(Environment.OSVersion.Version).Append('\n');
        AppendIdentity(key, Array.Find(LibraryPaths, File.Exists));
        return key;
    }

    private static void AppendIdentity(StringBuilder key, string? path)
    {
        if (path is not null)
        {
            FileInfo named = new(path);
            FileSystemInfo file = named.ResolveLinkTarget(returnFinalTarget: true) ?? named;
            key.Append(file.FullName).Append(' ')
                .Append(CultureInfo.InvariantCulture, $"{(file as FileInfo)?.Length} {file.LastWriteTimeUtc.Ticks}");
        }

        key.Append('\n');
    }
}
