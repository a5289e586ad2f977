using System.Text;
using OciTool.Images;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace OciTool.Registry.Configuration;

/// <summary>A table of a TOML file whose keys are asked for one by one: what nobody asked for is unknown.</summary>
/// <remarks>Every mistake is said with the file and the line that it stands in.</remarks>
internal sealed class TomlTable(string file, int line)
{
    private const int MaxFile = 1 << 20;

    private readonly Dictionary<string, Entry> _entries = [];
    private readonly HashSet<string> _known = [];
    private bool _hasHeader;

    /// <summary>Where the table begins, for example <c>/etc/containers/registries.conf:7</c>.</summary>
    internal string Where => $"{file}:{line}";

    /// <summary>The keys, in the file's order.</summary>
    internal IEnumerable<string> Keys => _entries.Keys;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Its table; null when there is no such file.</returns>
    /// <exception cref="OciException">It cannot be read, or is not TOML.</exception>
    internal static TomlTable? ReadFile(string path)
    {
        string text;
        try
        {
            using FileStream content = File.OpenRead(path);
            byte[] bytes = new byte[MaxFile + 1];
            int length = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            text = length <= MaxFile
                ? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes, 0, length)
                : throw new OciException($"{path}: longer than {MaxFile} bytes");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"{path}: {e.Message.TrimEnd('.')}", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new OciException($"{path}: not UTF-8", e);
        }

        return Parse(path, text);
    }

    /// <summary>Parses the text of a file.</summary>
    /// <exception cref="OciException">It is not TOML.</exception>
    internal static TomlTable Parse(string path, string text)
    {
        DocumentSyntax document;
        try
        {
            // its validation takes one key of two [[registry]] tables for the same: what is given twice is found here
            document = SyntaxParser.Parse(text, path, validate: false);
        }
        catch (TomlException e)
        {
            throw new OciException($"{path}: not TOML: {Printable.Shorten(e.Message.TrimEnd('.'))}", e);
        }

        if (document.Diagnostics.FirstOrDefault(diagnostic => diagnostic.Kind == DiagnosticMessageKind.Error) is { } mistake)
        {
            throw new OciException($"{path}:{mistake.Span.Start.Line + 1}: not TOML: {Printable.Shorten(mistake.Message.TrimEnd('.'))}");
        }

        TomlTable root = new(path, 1);
        root.AddAll(document.KeyValues);
        foreach (TableSyntaxBase table in document.Tables)
        {
            int at = table.Name!.Span.Start.Line + 1;
            TomlTable opened = root.Descend(table.Name, out string last).Open(last, at, isElement: table is TableArraySyntax);
            if (opened._hasHeader)
            {
                throw new OciException($"{path}:{at}: not TOML: the table [{Printable.Shorten(last, 64)}] is given twice");
            }

            opened._hasHeader = true;
            opened.AddAll(table.Items);
        }

        return root;
    }

    /// <summary>The text of a key; null when it is absent.</summary>
    internal string? Text(string key) => Find(key) switch
    {
        null => null,
        { Value: string text } => text,
        _ => throw Wrong(key, "must be a string"),
    };

    /// <summary>A switch, which is off when its key is absent.</summary>
    internal bool Switch(string key) => Find(key) switch
    {
        null => false,
        { Value: bool value } => value,
        _ => throw Wrong(key, "must be true or false"),
    };

    /// <summary>An array of texts; null when the key is absent.</summary>
    internal IReadOnlyList<string>? Texts(string key) => Find(key) switch
    {
        null => null,
        { Value: List<object> list } when list.TrueForAll(item => item is string) => [.. list.Cast<string>()],
        _ => throw Wrong(key, "must be an array of strings"),
    };

    /// <summary>A table; null when the key is absent.</summary>
    internal TomlTable? Table(string key) => Find(key) switch
    {
        null => null,
        { Value: TomlTable table } => table,
        _ => throw Wrong(key, "must be a table"),
    };

    /// <summary>An array of tables; empty when the key is absent.</summary>
    internal IReadOnlyList<TomlTable> Tables(string key) => Find(key) switch
    {
        null => [],
        { Value: List<object> list } when list.TrueForAll(item => item is TomlTable) => [.. list.Cast<TomlTable>()],
        _ => throw Wrong(key, $"must be an array of tables, as [[{key}]]"),
    };

    /// <summary>What is wrong with a key's value.</summary>
    internal OciException Wrong(string key, string cause) =>
        new($"{file}:{(_entries.TryGetValue(key, out Entry? entry) ? entry.Line : line)}: '{Printable.Shorten(key, 64)}': {cause}");

    /// <summary>Warns of the keys that nobody asked for.</summary>
    internal void WarnOfUnknown(Action<string> warn)
    {
        foreach ((string key, Entry entry) in _entries.Where(entry => !_known.Contains(entry.Key)))
        {
            warn($"{file}:{entry.Line}: unknown key '{Printable.Shorten(key, 64)}' is ignored");
        }
    }

    private Entry? Find(string key)
    {
        _known.Add(key);
        return _entries.GetValueOrDefault(key);
    }

    private void AddAll(IEnumerable<KeyValueSyntax> pairs)
    {
        foreach (KeyValueSyntax pair in pairs)
        {
            TomlTable table = Descend(pair.Key!, out string key);
            int at = pair.Key!.Span.Start.Line + 1;
            if (!table._entries.TryAdd(key, new Entry(at, Value(pair.Value))))
            {
                throw new OciException($"{file}:{at}: not TOML: '{Printable.Shorten(key, 64)}' is given twice");
            }
        }
    }

    // all but the last part of a dotted name lead through tables, and through the last element of arrays of tables
    private TomlTable Descend(KeySyntax name, out string last)
    {
        string[] parts = [Part(name.Key), .. name.DotKeys.Select(part => Part(part.Key))];
        last = parts[^1];
        TomlTable table = this;
        foreach (string part in parts[..^1])
        {
            table = table._entries.GetValueOrDefault(part)?.Value switch
            {
                TomlTable inner => inner,
                List<object> and [.., TomlTable element] => element,
                _ => table.Open(part, name.Span.Start.Line + 1, isElement: false),
            };
        }

        return table;
    }

    private TomlTable Open(string key, int at, bool isElement)
    {
        object? present = _entries.GetValueOrDefault(key)?.Value;
        if (!isElement && present is TomlTable same)
        {
            return same;
        }

        TomlTable opened = new(file, at);
        switch (present)
        {
            case List<object> list when isElement:
                list.Add(opened);
                break;
            case null:
                _entries[key] = new Entry(at, isElement ? new List<object> { opened } : opened);
                break;
            default:
                throw new OciException($"{file}:{at}: not TOML: '{Printable.Shorten(key, 64)}' is given twice");
        }

        return opened;
    }

    private object Value(ValueSyntax? value)
    {
        switch (value)
        {
            case StringValueSyntax text:
                return text.Value ?? "";
            case BooleanValueSyntax flag:
                return flag.Value;
            case ArraySyntax array:
                return array.Items.Select(item => Value(item.Value)).ToList();
            case InlineTableSyntax inline:
                TomlTable table = new(file, inline.Span.Start.Line + 1);
                table.AddAll(inline.Items.Select(item => item.KeyValue!));
                return table;
            default:
                return 0; // numbers and dates: no key of ours takes one
        }
    }

    private static string Part(BareKeyOrStringValueSyntax? part) => part switch
    {
        BareKeySyntax bare => bare.Key?.Text ?? "",
        StringValueSyntax quoted => quoted.Value ?? "",
        _ => "",
    };

    private sealed record Entry(int Line, object Value);
}
