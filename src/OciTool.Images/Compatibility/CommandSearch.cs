using System.Globalization;
using System.Text;

namespace OciTool.Images.Compatibility;

/// <summary>Who executes what: the command of an image, where it may be, and the user.</summary>
public static class CommandSearch
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The words that are executed when the user names none.</summary>
    /// <param name="config">How containers of the image are started.</param>
    public static IReadOnlyList<string> WordsOf(ExecutionConfig? config) => [.. config?.Entrypoint ?? [], .. config?.Cmd ?? []];

    /// <summary>The paths that are tried, in order.</summary>
    /// <param name="command">The first word.</param>
    /// <param name="config">Gives <c>PATH</c> and the working directory.</param>
    internal static IReadOnlyList<string> PathsOf(string command, ExecutionConfig? config)
    {
        string directory = config?.WorkingDir is { Length: > 0 } given ? given : "/";
        if (command.Contains('/', StringComparison.Ordinal))
        {
            return [Absolute(directory, command)];
        }

        string path = Variable(config, "PATH") ?? DefaultPath;
        return [.. path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(entry => Absolute(directory, $"{entry}/{command}"))];
    }

    /// <summary>The value of an environment variable of the image.</summary>
    internal static string? Variable(ExecutionConfig? config, string name) =>
        config?.Env?.LastOrDefault(variable => variable.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>Makes a path absolute.</summary>
    internal static string Absolute(string directory, string path) => path.StartsWith('/') ? path : $"{directory.TrimEnd('/')}/{path}";

    /// <summary>The IDs of the image's user; root's when the user is not known, whom the run itself refuses.</summary>
    internal static CommandUser UserOf(ExecutionConfig? config, IImageFiles files)
    {
        string[] parts = (config?.User ?? "").Split(':', 2);
        string[]? account = parts[0].Length == 0 ? null : Find(files, "/etc/passwd", parts[0], 2);
        long user = Number(account?[2] ?? parts[0]) ?? 0;
        List<long> groups = [];
        if (user == 0)
        {
            return new CommandUser(0, groups); // what root may does not depend on them
        }

        if (parts.Length == 2)
        {
            groups.Add(Number(Find(files, "/etc/group", parts[1], 2)?[2] ?? parts[1]) ?? 0);
        }
        else
        {
            groups.Add(Number(account?.ElementAtOrDefault(3)) ?? 0);
            string name = account?[0] ?? parts[0];
            groups.AddRange(Lines(files, "/etc/group")
                .Where(line => line.Length > 3 && line[3].Split(',').Contains(name))
                .Select(line => Number(line[2])).OfType<long>());
        }

        return new CommandUser(user, groups);
    }

    private static string[]? Find(IImageFiles files, string path, string nameOrNumber, int number)
    {
        string[][] lines = [.. Lines(files, path)];
        return Array.Find(lines, line => line[0] == nameOrNumber) ?? Array.Find(lines, line => line[number] == nameOrNumber);
    }

    private static IEnumerable<string[]> Lines(IImageFiles files, string path) =>
        FileText.Read(files, path, 1 << 20) is { } bytes
            ? Encoding.UTF8.GetString(bytes).Split('\n').Select(line => line.Split(':')).Where(line => line.Length > 2)
            : [];

    private static long? Number(string? text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null;
}

/// <summary>Who executes a command.</summary>
/// <param name="Id">The user ID.</param>
/// <param name="Groups">The group and the additional groups.</param>
public sealed record CommandUser(long Id, IReadOnlyList<long> Groups);
