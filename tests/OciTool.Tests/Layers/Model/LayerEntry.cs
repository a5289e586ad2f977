using System.Text;

namespace OciTool.Tests.Layers.Model;

/// <summary>What a file is; an entry may also be a hard link, which makes no file of its own.</summary>
internal enum FileKind
{
    File,
    Directory,
    SymbolicLink,
    HardLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
}

/// <summary>A time: seconds since 1970 and 0 to 999,999,999 nanoseconds after that second.</summary>
internal readonly record struct Time(long Seconds, int Nanoseconds);

/// <summary>One entry of a layer, as its author meant it; text has one character a byte (Latin-1).</summary>
/// <param name="Name">The name as the archive has it: not cleaned, and it may be that of a whiteout.</param>
/// <param name="Kind">What it is.</param>
internal sealed record LayerEntry(string Name, FileKind Kind)
{
    public uint Mode { get; init; } = 0x1a4; // 0644

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public Time Modified { get; init; } = new(1_700_000_000, 0);

    public string Content { get; init; } = "";

    /// <summary>What a link names.</summary>
    public string Link { get; init; } = "";

    public uint Major { get; init; }

    public uint Minor { get; init; }

    public IReadOnlyDictionary<string, string> Xattrs { get; init; } = new Dictionary<string, string>();

    /// <summary>One line that says all of it, for the report of a difference.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.Append($"{Kind,-15} {TreeText.Escape(Name),-14} {Convert.ToString(Mode, 8)} {Uid}:{Gid} {Modified.Seconds}.{Modified.Nanoseconds:d9}");
        if (Link.Length > 0)
        {
            text.Append($" -> {TreeText.Escape(Link)}");
        }

        if (Content.Length > 0)
        {
            text.Append($" {TreeText.Content(Content)}");
        }

        if (Kind is FileKind.CharacterDevice or FileKind.BlockDevice)
        {
            text.Append($" {Major}:{Minor}");
        }

        foreach ((string name, string value) in Xattrs)
        {
            text.Append($" {TreeText.Escape(name)}={TreeText.Content(value)}");
        }

        return text.ToString();
    }
}
