using System.Text;

namespace OciTool.Images.Compatibility;

/// <summary>The first line of a script, as the kernel reads it.</summary>
/// <param name="Interpreter">The path behind <c>#!</c>; empty when there is none. It may hold a carriage return, which the kernel takes for a part of the name.</param>
/// <param name="Argument">The one argument that the kernel passes; null without one.</param>
/// <remarks>The kernel's fs/binfmt_script.c: 256 bytes are looked at since Linux 5.1, 128 before.</remarks>
public sealed record ScriptHeader(string Interpreter, string? Argument)
{
    /// <summary>How many bytes the kernel looks at.</summary>
    public const int Limit = 256;

    /// <summary>Whether the interpreter's name ends with a carriage return: the file was written on Windows.</summary>
    public bool EndsWithCarriageReturn => (Argument is null ? Interpreter : Argument).EndsWith('\r');

    /// <summary>Whether the name of the interpreter itself has the carriage return, so that nothing is found.</summary>
    public bool IsBrokenByCarriageReturn => Interpreter.EndsWith('\r');

    /// <summary>Whether the line is so long that kernels before 5.1 do not see its end.</summary>
    public bool IsLongForOldKernels { get; init; }

    /// <summary>Whether the kernel refuses it, since the name of the interpreter does not end within the limit.</summary>
    public bool IsTooLong { get; init; }

    /// <summary>Reads the line.</summary>
    /// <param name="start">The beginning of the file, at least <see cref="Limit"/> bytes of it, if it has as many.</param>
    /// <returns>Null for what does not begin with <c>#!</c>.</returns>
    public static ScriptHeader? Read(ReadOnlySpan<byte> start)
    {
        if (!start.StartsWith("#!"u8))
        {
            return null;
        }

        // the buffer of the kernel is filled up with NULs, and its last byte is one in any case
        ReadOnlySpan<byte> seen = start[..Math.Min(start.Length, Limit)];
        int lineEnd = seen.IndexOf((byte)'\n');
        bool isCut = lineEnd < 0 && seen.Length == Limit;
        ReadOnlySpan<byte> line = seen[2..(lineEnd >= 0 ? lineEnd : isCut ? Limit - 1 : seen.Length)];
        int nul = line.IndexOf((byte)0);
        line = (nul >= 0 ? line[..nul] : line).Trim(" \t"u8);
        int nameEnd = line.IndexOfAny((byte)' ', (byte)'\t');
        string name = Encoding.UTF8.GetString(nameEnd < 0 ? line : line[..nameEnd]);
        string? argument = nameEnd < 0 ? null : Encoding.UTF8.GetString(line[nameEnd..].Trim(" \t"u8));
        return new ScriptHeader(name, argument)
        {
            IsTooLong = isCut && nul < 0 && nameEnd < 0,
            IsLongForOldKernels = lineEnd >= 128 || isCut,
        };
    }
}
