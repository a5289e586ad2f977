using System.Diagnostics;
using System.Globalization;

namespace OciTool.SystemTests.Fixtures;

/// <summary>The processes of this machine, found by a text that only they have.</summary>
internal static class Processes
{
    /// <summary>Those that have one of the texts in their command line, their environment or their root mount.</summary>
    /// <remarks>
    /// Only the root mount tells a container of ours: any other mount of ours may show in the namespaces of processes
    /// that have nothing to do with this test, and what is found here may be killed.
    /// </remarks>
    public static IReadOnlyList<(int Id, string CommandLine)> With(params string[] texts)
    {
        List<(int, string)> found = [];
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int id)
                || id == Environment.ProcessId)
            {
                continue;
            }

            string commandLine = Read(directory, "cmdline").Replace('\0', ' ');
            string all = $"{commandLine}\n{Read(directory, "environ")}\n{RootMount(directory)}";
            if (texts.Any(text => all.Contains(text, StringComparison.Ordinal)))
            {
                found.Add((id, commandLine));
            }
        }

        return found;
    }

    /// <summary>Waits until none is left, and tells which are still there when the time is over.</summary>
    public static async Task<string[]> GoneAsync(string[] texts, TimeSpan patience)
    {
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            IReadOnlyList<(int Id, string CommandLine)> left = With(texts);
            if (left.Count == 0 || Stopwatch.GetElapsedTime(begin) > patience)
            {
                return [.. left.Select(process => $"{process.Id} {process.CommandLine}")];
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Waits until one is there.</summary>
    public static async Task<bool> AppearsAsync(string text)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(30))
        {
            if (With(text).Count > 0)
            {
                return true;
            }

            await Task.Delay(20);
        }

        return false;
    }

    public static void Kill(params string[] texts)
    {
        foreach ((int id, _) in With(texts))
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill();
            }
            catch (ArgumentException)
            {
                // it ended by itself
            }
        }
    }

    private static string RootMount(string directory) =>
        Read(directory, "mountinfo").Split('\n').LastOrDefault(line => line.Split(' ') is [_, _, _, _, "/", ..]) ?? "";

    private static string Read(string directory, string file)
    {
        try
        {
            return File.ReadAllText(Path.Join(directory, file));
        }
        catch (IOException)
        {
            return ""; // ended meanwhile, or a kernel thread
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
