using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace OciTool.SystemTests.Fixtures;

/// <summary>One change of a directory tree, or one sync of it, between two lines of a trace.</summary>
/// <param name="Start">The line at which the call began.</param>
/// <param name="End">The line at which it returned.</param>
internal abstract record DiskCall(int Start, int End);

/// <summary>A new name: of a file, or of a directory when there is no file.</summary>
internal sealed record NameMade(int Start, int End, string Path, int? File) : DiskCall(Start, End);

/// <summary>A name that became another one.</summary>
internal sealed record NameMoved(int Start, int End, string From, string To, int? File) : DiskCall(Start, End);

/// <summary>A name that went.</summary>
internal sealed record NameGone(int Start, int End, string Path) : DiskCall(Start, End);

/// <summary>Bytes that were written to a file.</summary>
internal sealed record BytesWritten(int Start, int End, int File, long Offset, byte[] Bytes) : DiskCall(Start, End);

/// <summary>A file that got another length.</summary>
internal sealed record LengthSet(int Start, int End, int File, long Length) : DiskCall(Start, End);

/// <summary>fsync or fdatasync of a file.</summary>
internal sealed record FileSynced(int Start, int End, int File) : DiskCall(Start, End);

/// <summary>fsync of a directory.</summary>
internal sealed record NamesSynced(int Start, int End, string Path) : DiskCall(Start, End);

/// <summary>syncfs.</summary>
internal sealed record AllSynced(int Start, int End) : DiskCall(Start, End);

/// <summary>What a command did to a directory, in the order in which the kernel finished it, as strace(1) saw it.</summary>
internal sealed partial class WriteLog
{
    private const string Calls =
        "openat,openat2,write,pwrite64,ftruncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,fsync,fdatasync,syncfs";

    private readonly string _root;
    private readonly Dictionary<string, int?> _names = [];
    private readonly Dictionary<int, int> _open = [];
    private readonly Dictionary<int, (int Line, string Text)> _unfinished = [];
    private readonly List<DiskCall> _calls = [];

    private WriteLog(string root) => _root = root;

    public IReadOnlyList<DiskCall> Result => _calls;

    /// <summary>The files that were there before, by path below the root; their numbers are 0, 1, …</summary>
    public List<(string Path, byte[]? Content)> Before { get; } = [];

    /// <summary>Runs a command of the binary and writes down what it does to its store.</summary>
    public static async Task<WriteLog> RecordAsync(Oci oci, params string[] arguments)
    {
        Need.Programs("strace");
        WriteLog log = new(oci.Root);
        log.ReadBefore();
        string trace = oci["trace"];
        (await Shell.RunAsync(
            "strace",
            ["-f", "-y", "-xx", "-qq", "-s", "100000000", "-o", trace, "-e", $"trace={Calls}", Oci.Binary, .. oci.Arguments(arguments)],
            oci.CleanEnvironment())).Succeeded();
        int number = 0;
        foreach (string line in File.ReadLines(trace))
        {
            log.Read(number++, line);
        }

        File.Delete(trace);
        return log;
    }

    /// <summary>Leaves out all syncs, as a program without them would.</summary>
    public void ForgetSyncs() => _calls.RemoveAll(call => call is FileSynced or NamesSynced or AllSynced);

    private void ReadBefore()
    {
        if (!Directory.Exists(_root))
        {
            return;
        }

        _names[""] = null;
        Before.Add(("", null));
        foreach (string path in Directory.EnumerateFileSystemEntries(_root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            byte[]? content = Directory.Exists(path) ? null : File.ReadAllBytes(path);
            string name = path[_root.Length..];
            _names[name] = content is null ? null : Before.Count;
            Before.Add((name, content));
        }
    }

    private void Read(int line, string text)
    {
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        int thread = int.Parse(text.AsSpan(0, space), CultureInfo.InvariantCulture);
        text = text[space..].TrimStart();
        int start = line;
        if (text.EndsWith("<unfinished ...>", StringComparison.Ordinal))
        {
            _unfinished[thread] = (line, text[..^"<unfinished ...>".Length]);
            return;
        }

        if (text.StartsWith("<... ", StringComparison.Ordinal) && _unfinished.Remove(thread, out (int Line, string Text) begun))
        {
            start = begun.Line;
            text = begun.Text + text[(text.IndexOf("resumed>", StringComparison.Ordinal) + "resumed>".Length)..];
        }

        Match call = Call().Match(text);
        if (call.Success && int.Parse(call.Groups["result"].Value, CultureInfo.InvariantCulture) is >= 0 and { } result)
        {
            Add(start, line, call.Groups["name"].Value, call.Groups["arguments"].Value, result);
        }
    }

    private void Add(int start, int end, string name, string arguments, int result)
    {
        string[] texts = [.. Text().Matches(arguments).Select(match => Decode(match.Groups["text"].Value))];
        Match descriptor = Descriptor().Match(arguments);
        int number = descriptor.Success ? int.Parse(descriptor.Groups["number"].Value, CultureInfo.InvariantCulture) : -1;
        string? at = Below(descriptor.Success ? Decode(descriptor.Groups["path"].Value) : "");
        switch (name)
        {
            case "openat" or "openat2":
                Open(start, end, Below(texts[0]), arguments, result);
                break;
            case "mkdir" when Below(texts[0]) is { } path:
                _names[path] = null;
                _calls.Add(new NameMade(start, end, path, File: null));
                break;
            case "rename" when Below(texts[1]) is { } to:
                Move(start, end, Below(texts[0])!, to);
                break;
            case "unlink" or "rmdir" when Below(texts[0]) is { } path:
                Remove(start, end, path);
                break;
            case "unlinkat" when at is not null:
                Remove(start, end, $"{at}/{texts[0]}");
                break;
            case "write" or "pwrite64" when _open.TryGetValue(number, out int file):
                // what is appended, to leases, is nothing that is read after a power loss
                long offset = name == "write" ? 0 : long.Parse(arguments[(arguments.LastIndexOf(',') + 1)..], CultureInfo.InvariantCulture);
                _calls.Add(new BytesWritten(start, end, file, offset, DecodeBytes(Text().Match(arguments).Groups["text"].Value)[..result]));
                break;
            case "ftruncate" when _open.TryGetValue(number, out int file):
                _calls.Add(new LengthSet(start, end, file, long.Parse(arguments[(arguments.LastIndexOf(',') + 1)..], CultureInfo.InvariantCulture)));
                break;
            case "syncfs" when at is not null:
                _calls.Add(new AllSynced(start, end));
                break;
            case "fsync" or "fdatasync" when at is not null:
                _calls.Add(_open.TryGetValue(number, out int synced) ? new FileSynced(start, end, synced) : new NamesSynced(start, end, at));
                break;
            case "link" or "linkat" or "renameat" or "renameat2" or "mkdirat" when arguments.Contains(_root, StringComparison.Ordinal):
                throw new NotSupportedException($"{name} is not in the model of the disk");
            default:
                break; // outside of the store
        }
    }

    private void Open(int start, int end, string? path, string arguments, int descriptor)
    {
        _open.Remove(descriptor);
        if (path is null)
        {
            return;
        }

        if (!_names.TryGetValue(path, out int? file) && arguments.Contains("O_CREAT", StringComparison.Ordinal))
        {
            file = Before.Count + _calls.Count;
            _names[path] = file;
            _calls.Add(new NameMade(start, end, path, file));
        }

        if (file is { } known)
        {
            _open[descriptor] = known;
        }
    }

    private void Move(int start, int end, string from, string to)
    {
        foreach (string below in _names.Keys.Where(path => path.StartsWith($"{from}/", StringComparison.Ordinal)).ToArray())
        {
            _names[$"{to}{below[from.Length..]}"] = _names[below];
            _names.Remove(below);
        }

        _names.Remove(from, out int? file);
        _names[to] = file;
        _calls.Add(new NameMoved(start, end, from, to, file));
    }

    private void Remove(int start, int end, string path)
    {
        _names.Remove(path);
        _calls.Add(new NameGone(start, end, path));
    }

    private string? Below(string path) =>
        path == _root ? "" : path.StartsWith($"{_root}/", StringComparison.Ordinal) ? path[_root.Length..] : null;

    private static string Decode(string text) => Encoding.UTF8.GetString(DecodeBytes(text));

    private static byte[] DecodeBytes(string text)
    {
        byte[] bytes = new byte[text.Length];
        int count = 0;
        for (int i = 0; i < text.Length; count++)
        {
            bool isEscaped = text[i] == '\\';
            bytes[count] = isEscaped ? byte.Parse(text.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : (byte)text[i];
            i += isEscaped ? 4 : 1;
        }

        return bytes[..count];
    }

    [GeneratedRegex(@"^(?<name>\w+)\((?<arguments>.*)\)\s+= (?<result>-?\d+)", RegexOptions.ExplicitCapture | RegexOptions.Singleline, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Call();

    [GeneratedRegex("\"(?<text>[^\"]*)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Text();

    [GeneratedRegex(@"^(?<number>\d+)<(?<path>[^>]*)>", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Descriptor();
}
