using System.Text;

namespace OciTool.Images.Compatibility;

/// <summary>A C library.</summary>
/// <param name="Family">Which one.</param>
/// <param name="Version">Its version; null where the file does not tell.</param>
/// <param name="Path">Its file in the image.</param>
public sealed record Libc(LibcFamily Family, KernelVersion? Version, string Path)
{
    private static readonly System.Buffers.SearchValues<byte> VersionBytes = System.Buffers.SearchValues.Create("0123456789."u8);

    private const int ChunkSize = 64 * 1024;
    private const int LongestFile = 32 * 1024 * 1024;

    private static readonly byte[] GlibcMark = "GNU C Library "u8.ToArray();
    private static readonly byte[] MuslMark = "musl libc"u8.ToArray();

    /// <summary>For example <c>glibc 2.36</c>.</summary>
    public string Name => $"{(Family == LibcFamily.Glibc ? "glibc" : "musl")}{(Version is { } version ? $" {version}" : "")}";

    /// <summary>Looks for what a library prints when it is executed: both have it as a string.</summary>
    /// <param name="path">Its path, which names glibc's version where the file is called <c>libc-2.NN.so</c>.</param>
    /// <param name="file">The file.</param>
    /// <returns>Null for a file that is no C library.</returns>
    public static Libc? Identify(string path, IFileBytes file)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        if (name.StartsWith("libc-2.", StringComparison.Ordinal) && KernelVersion.TryParse(name[5..], out KernelVersion named))
        {
            return new Libc(LibcFamily.Glibc, named, path);
        }

        byte[] window = new byte[ChunkSize + 256];
        int kept = 0;
        for (long offset = 0; offset < Math.Min(file.Length, LongestFile);)
        {
            int read = file.Read(offset, window.AsSpan(kept, ChunkSize));
            if (read == 0)
            {
                break;
            }

            ReadOnlySpan<byte> seen = window.AsSpan(0, kept + read);
            if (Find(seen, GlibcMark, " version ") is { } glibc)
            {
                return new Libc(LibcFamily.Glibc, glibc, path);
            }

            // musl has "musl libc (%s)\nVersion %s" and, beside it, its version as a string of its own
            if (seen.IndexOf(MuslMark) >= 0)
            {
                return new Libc(LibcFamily.Musl, MuslVersion(seen), path);
            }

            offset += read;
            kept = Math.Min(seen.Length, 256);
            seen[^kept..].CopyTo(window);
        }

        return null;
    }

    private static KernelVersion? Find(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> mark, string before)
    {
        int at = bytes.IndexOf(mark);
        if (at < 0)
        {
            return null;
        }

        ReadOnlySpan<byte> text = bytes.Slice(at, Math.Min(bytes.Length - at, 200));
        string line = Encoding.ASCII.GetString(text[..(text.IndexOf((byte)'\n') is >= 0 and var end ? end : text.Length)]);
        int version = line.IndexOf(before, StringComparison.Ordinal);
        return version >= 0 && KernelVersion.TryParse(line[(version + before.Length)..], out KernelVersion found) ? found : null;
    }

    private static KernelVersion? MuslVersion(ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at + 6 < bytes.Length; at++)
        {
            if (bytes[at] != 0 || bytes[at + 1] is not ((byte)'0' or (byte)'1') || bytes[at + 2] != '.')
            {
                continue;
            }

            ReadOnlySpan<byte> text = bytes[(at + 1)..];
            int end = text.IndexOf((byte)0);
            if (end is >= 5 and <= 12 && text[..end].Count((byte)'.') == 2 && !text[..end].ContainsAnyExcept(VersionBytes)
                && KernelVersion.TryParse(Encoding.ASCII.GetString(text[..end]), out KernelVersion version))
            {
                return version;
            }
        }

        return null;
    }
}

/// <summary>The C libraries that are told apart.</summary>
public enum LibcFamily
{
    /// <summary>The GNU C Library.</summary>
    Glibc,

    /// <summary>musl, as in Alpine.</summary>
    Musl,
}
