using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace OciTool.Runtime.Seccomp;

/// <summary>Compiled filters on disk.</summary>
/// <remarks>
/// A file holds its whole key, so two keys cannot be taken for each other, and a checksum, for it is written without
/// fsync. Neither is a defence against an attacker: the directory is, inside the store that only we can enter. No cryptographic
/// digest is used, for that would load OpenSSL into every start of a container.
/// </remarks>
internal static class SeccompCache
{
    private const int HeaderSize = 16;
    private const int MaxBytes = 1 << 20;
    private const uint Magic = 0x4f434931; // OCI1

    /// <summary>The size of <c>struct sock_filter</c>.</summary>
    private const int InstructionSize = 8;

    // the kernel takes no longer program (BPF_MAXINSNS)
    private const int MaxInstructions = 4096;

    /// <summary>The program that was stored under a key, or null where there is none that is whole.</summary>
    internal static byte[]? TryRead(string directory, ReadOnlySpan<byte> key)
    {
        byte[] file;
        try
        {
            using FileStream stream = new(
                PathOf(directory, key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            if (stream.Length is < HeaderSize or > MaxBytes)
            {
                return null;
            }

            file = new byte[stream.Length];
            stream.ReadExactly(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        ReadOnlySpan<byte> content = file.AsSpan(HeaderSize);
        bool valid = BinaryPrimitives.ReadUInt32LittleEndian(file) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(4)) == (uint)key.Length
            && content.StartsWith(key)
            && BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(8)) == Checksum(content);
        byte[] program = valid ? content[key.Length..].ToArray() : [];
        return IsProgram(program) ? program : null;
    }

    /// <summary>Stores a program; another process may be doing the same. What cannot be stored is compiled again.</summary>
    internal static void Write(string directory, ReadOnlySpan<byte> key, ReadOnlySpan<byte> program)
    {
        byte[] file = new byte[HeaderSize + key.Length + program.Length];
        key.CopyTo(file.AsSpan(HeaderSize));
        program.CopyTo(file.AsSpan(HeaderSize + key.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(file, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), (uint)key.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), Checksum(file.AsSpan(HeaderSize)));

        string path = PathOf(directory, key);
        string temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(directory);
            File.WriteAllBytes(temporary, file);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return; // a full or read-only disk costs the next start some time
        }
    }

    private static bool IsProgram(byte[] program) =>
        program.Length % InstructionSize == 0 && program.Length / InstructionSize is > 0 and <= MaxInstructions;

    private static string PathOf(string directory, ReadOnlySpan<byte> key)
    {
        ulong hash = 14695981039346656037; // FNV-1a
        foreach (byte b in key)
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return Path.Join(directory, string.Create(CultureInfo.InvariantCulture, $"seccomp-{hash:x16}.bpf"));
    }

    private static uint Checksum(ReadOnlySpan<byte> content)
    {
        uint checksum = uint.MaxValue;
        for (; content.Length >= sizeof(ulong); content = content[sizeof(ulong)..])
        {
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(content));
        }

        foreach (byte b in content)
        {
            checksum = BitOperations.Crc32C(checksum, b);
        }

        return checksum;
    }
}
