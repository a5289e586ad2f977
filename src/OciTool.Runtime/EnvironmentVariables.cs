using OciTool.Images;

namespace OciTool.Runtime;

/// <summary>An environment in the making: ordered, the last value of a name wins in the place of the first.</summary>
/// <remarks>
/// Values of an image are data: a word without <c>=</c> must never be looked up in this process's environment
/// (CVE-2026-57231). Only the user's own <c>-e NAME</c> may do that.
/// </remarks>
internal sealed class EnvironmentVariables(Func<string, string?> hostValue, Func<IEnumerable<string>> hostNames)
{
    private const int MaxFileBytes = 1 << 20;

    private static readonly char[] White = [' ', '\t'];

    private readonly List<string> _variables = [];
    private readonly Dictionary<string, int> _indexes = [];

    /// <summary>The variables as <c>NAME=value</c>.</summary>
    internal IReadOnlyList<string> Variables => _variables;

    /// <summary>The value of a variable, or null.</summary>
    internal string? this[string name] =>
        _indexes.TryGetValue(name, out int index) ? _variables[index][(name.Length + 1)..] : null;

    /// <summary>Sets a variable.</summary>
    internal void Set(string name, string value)
    {
        string variable = $"{name}={value}";
        if (_indexes.TryGetValue(name, out int index))
        {
            _variables[index] = variable;
        }
        else
        {
            _indexes.Add(name, _variables.Count);
            _variables.Add(variable);
        }
    }

    /// <summary>Adds the image's variables; what is not <c>NAME=value</c> is dropped with a warning.</summary>
    internal void AddImage(IReadOnlyList<string>? variables, List<string> warnings)
    {
        foreach (string variable in variables ?? [])
        {
            int equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || variable.Contains('\0', StringComparison.Ordinal))
            {
                warnings.Add($"the image's environment variable '{Printable.Shorten(variable)}' is not NAME=value: ignored");
                continue;
            }

            Set(variable[..equals], variable[(equals + 1)..]);
        }
    }

    /// <summary>Adds a variable of the user's: <c>NAME=value</c>, <c>NAME</c> or <c>NAME*</c>.</summary>
    /// <exception cref="OciException">It has no name.</exception>
    internal void AddUser(string variable)
    {
        int equals = variable.IndexOf('=', StringComparison.Ordinal);
        string name = (equals < 0 ? variable : variable[..equals]).TrimStart(White);
        if (equals == 0 || name.Length == 0)
        {
            throw new OciException($"invalid environment variable: \"{Printable.Shorten(variable)}\"");
        }

        if (equals > 0)
        {
            Set(name, variable[(equals + 1)..]);
        }
        else if (name.EndsWith('*'))
        {
            foreach (string host in hostNames())
            {
                if (host.StartsWith(name[..^1], StringComparison.Ordinal) && hostValue(host) is { } value)
                {
                    Set(host, value);
                }
            }
        }
        else if (hostValue(name) is { } value)
        {
            Set(name, value);
        }
    }

    /// <summary>Adds the variables of a file: one a line, <c>#</c> starts a comment line, values are taken as they are.</summary>
    /// <exception cref="OciException">It cannot be read, or a line has no name.</exception>
    internal void AddFile(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxFileBytes })
            {
                throw new OciException($"parsing env file \"{path}\": it is larger than {MaxFileBytes} bytes");
            }

            foreach (string line in File.ReadLines(path))
            {
                string variable = line.TrimStart(White);
                if (variable.Length > 0 && variable[0] != '#')
                {
                    AddUser(variable);
                }
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OciException($"parsing env file \"{path}\": open {path}: no such file or directory", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"parsing env file \"{path}\": {e.Message}", e);
        }
        catch (OciException e) when (!e.Message.StartsWith("parsing env file", StringComparison.Ordinal))
        {
            throw new OciException($"parsing env file \"{path}\": {e.Message}", e);
        }
    }
}
