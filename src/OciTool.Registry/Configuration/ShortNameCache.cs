using System.Text;
using OciTool.Images;

namespace OciTool.Registry.Configuration;

/// <summary>The choices that users made where a short name meant several images; podman reads and writes the same file.</summary>
/// <remarks>containers-registries.conf(5), "Short-Name Aliasing: Modes".</remarks>
internal static class ShortNameCache
{
    private const string FileName = "containers/short-name-aliases.conf";

    /// <summary>The file: the machine's for root, else the user's.</summary>
    internal static string PathOf(RegistryOptions options) =>
        Environment.IsPrivilegedProcess
            ? Path.Join(options.SystemCache, FileName)
            : Path.Join(options.Variable("XDG_CACHE_HOME") ?? Path.Join(options.Variable("HOME") ?? "/", ".cache"), FileName);

    /// <summary>What was chosen so far.</summary>
    internal static IReadOnlyDictionary<string, ShortNameAlias> Read(RegistryOptions options)
    {
        string path = PathOf(options);
        return RegistriesFile.Read(path, _ => { })?.Aliases ?? new Dictionary<string, ShortNameAlias>();
    }

    /// <summary>Notes one more choice; the file is replaced as a whole.</summary>
    /// <exception cref="OciException">It cannot be written.</exception>
    internal static void Add(RegistryOptions options, string name, string target)
    {
        string path = PathOf(options);
        SortedDictionary<string, string> aliases = new(StringComparer.Ordinal);
        foreach ((string known, ShortNameAlias alias) in Read(options))
        {
            aliases[known] = alias.Target;
        }

        aliases[name] = target;
        StringBuilder text = new("[aliases]\n");
        foreach ((string known, string image) in aliases)
        {
            text.Append("  \"").Append(known).Append("\" = \"").Append(image).Append("\"\n");
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            string temporary = $"{path}.{Guid.NewGuid():N}";
            File.WriteAllText(temporary, text.ToString());
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"cannot note in {path} what '{Printable.Shorten(name, 128)}' stands for: {e.Message.TrimEnd('.')}", e);
        }
    }
}
