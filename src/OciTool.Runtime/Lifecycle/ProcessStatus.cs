using System.Globalization;

namespace OciTool.Runtime.Lifecycle;

/// <summary>What /proc says of a process.</summary>
/// <param name="State">The letter of its state; <c>Z</c> for one that has ended and was not waited for.</param>
/// <param name="StartTime">When it was started, in ticks of the machine's life.</param>
internal readonly record struct ProcessStatus(char State, ulong StartTime)
{
    /// <summary>Whether it has not ended.</summary>
    public bool Lives => State is not ('Z' or 'X' or '\0');

    /// <summary>Looks at a process.</summary>
    /// <returns>Nothing that lives, where there is none.</returns>
    public static ProcessStatus Of(int process)
    {
        try
        {
            // proc(5): "pid (name) state ppid …", and the name may hold anything
            string line = File.ReadAllText($"/proc/{process}/stat");
            string[] fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return new(fields[0][0], ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
