using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OciTool.Cli.Output.Templates;

/// <summary>A function was called with what it does not take; the caller adds the place.</summary>
internal sealed class TemplateFunctionException(string message) : Exception(message);

/// <summary>The functions that templates can call: Go's built-in ones that make sense here, and podman's.</summary>
internal static class TemplateFunctions
{
    private static readonly HashSet<string> Names =
    [
        "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf", "println",
        "json", "join", "split", "lower", "upper", "title", "pad", "truncate",
    ];

    /// <summary>All names, for completion and documentation.</summary>
    public static IReadOnlyCollection<string> All => Names;

    /// <summary>Whether there is a function of a name.</summary>
    /// <param name="name">The name.</param>
    public static bool Exists(string name) => Names.Contains(name);

    /// <summary>Calls a function.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="TemplateFunctionException">It does not take these.</exception>
    public static TemplateValue Call(string name, IReadOnlyList<TemplateValue> arguments) => name switch
    {
        "not" => TemplateValue.Of(!Arguments(name, arguments, 1)[0].IsTrue),
        "eq" => Equal(name, arguments),
        "ne" => TemplateValue.Of(!AreEqual(name, Arguments(name, arguments, 2)[0], arguments[1])),
        "lt" => TemplateValue.Of(Compare(name, Arguments(name, arguments, 2)) < 0),
        "le" => TemplateValue.Of(Compare(name, Arguments(name, arguments, 2)) <= 0),
        "gt" => TemplateValue.Of(Compare(name, Arguments(name, arguments, 2)) > 0),
        "ge" => TemplateValue.Of(Compare(name, Arguments(name, arguments, 2)) >= 0),
        "len" => Length(Arguments(name, arguments, 1)[0]),
        "index" => Index(arguments),
        "slice" => Slice(arguments),
        "print" => TemplateValue.Of(GoFormat.Print(arguments)),
        "println" => TemplateValue.Of(GoFormat.PrintLine(arguments)),
        "printf" => arguments.Count > 0
            ? TemplateValue.Of(GoFormat.PrintFormatted(Text(name, arguments[0]), arguments.Skip(1).ToList()))
            : throw Count(name, "at least 1", 0),
        "json" => TemplateValue.Of(Json(Arguments(name, arguments, 1)[0])),
        "join" => Join(Arguments(name, arguments, 2)),
        "split" => Split(Arguments(name, arguments, 2)),
        "lower" => TemplateValue.Of(Text(name, Arguments(name, arguments, 1)[0]).ToLowerInvariant()),
        "upper" => TemplateValue.Of(Text(name, Arguments(name, arguments, 1)[0]).ToUpperInvariant()),
        "title" => TemplateValue.Of(Title(Text(name, Arguments(name, arguments, 1)[0]))),
        "pad" => Pad(Arguments(name, arguments, 3)),
        "truncate" => Truncate(Arguments(name, arguments, 2)),
        _ => throw new TemplateFunctionException($"\"{name}\" is not a defined function"),
    };

    private static IReadOnlyList<TemplateValue> Arguments(string name, IReadOnlyList<TemplateValue> arguments, int count) =>
        arguments.Count == count ? arguments : throw Count(name, $"{count}", arguments.Count);

    private static TemplateFunctionException Count(string name, string want, int got) =>
        new($"wrong number of args for {name}: want {want} got {got}");

    private static string Text(string name, TemplateValue value) => value switch
    {
        StringValue text => text.Value,
        NilValue => "",
        _ => throw new TemplateFunctionException($"wrong type for value; expected string; got {value.TypeName} in {name}"),
    };

    private static int Number(TemplateValue value) => value is IntegerValue { Value: >= int.MinValue and <= int.MaxValue } number
        ? (int)number.Value
        : throw new TemplateFunctionException($"wrong type for value; expected int; got {value.TypeName}");

    private static BoolValue Equal(string name, IReadOnlyList<TemplateValue> arguments)
    {
        if (arguments.Count < 2)
        {
            throw arguments.Count == 0 ? Count(name, "at least 1", 0) : new TemplateFunctionException("error calling eq: missing argument for comparison");
        }

        for (int i = 1; i < arguments.Count; i++)
        {
            if (AreEqual(name, arguments[0], arguments[i]))
            {
                return new BoolValue(true);
            }
        }

        return new BoolValue(false);
    }

    private static bool AreEqual(string name, TemplateValue a, TemplateValue b) => (a, b) switch
    {
        (StringValue x, StringValue y) => x.Value == y.Value,
        (IntegerValue x, IntegerValue y) => x.Value == y.Value,
        (FloatValue x, FloatValue y) => x.Value.Equals(y.Value),
        (BoolValue, BoolValue) => a.IsTrue == b.IsTrue,
        (NilValue, _) or (_, NilValue) => a is NilValue && b is NilValue,
        (TimeValue, TimeValue) => a.ToString() == b.ToString(),
        (ListValue or MapValue or RecordValue, _) or (_, ListValue or MapValue or RecordValue) =>
            throw new TemplateFunctionException($"error calling {name}: non-comparable type {a}: {a.TypeName}"),
        _ => throw new TemplateFunctionException($"error calling {name}: incompatible types for comparison"),
    };

    private static int Compare(string name, IReadOnlyList<TemplateValue> arguments) => (arguments[0], arguments[1]) switch
    {
        (StringValue x, StringValue y) => string.CompareOrdinal(x.Value, y.Value),
        (IntegerValue x, IntegerValue y) => x.Value.CompareTo(y.Value),
        (FloatValue x, FloatValue y) => x.Value.CompareTo(y.Value),
        (BoolValue, _) or (ListValue, _) or (MapValue, _) or (RecordValue, _) or (NilValue, _) =>
            throw new TemplateFunctionException($"error calling {name}: invalid type for comparison"),
        _ => throw new TemplateFunctionException($"error calling {name}: incompatible types for comparison"),
    };

    private static IntegerValue Length(TemplateValue value) => value switch
    {
        StringValue text => new IntegerValue(Encoding.UTF8.GetByteCount(text.Value)),
        ListValue list => new IntegerValue(list.Items.Count),
        MapValue map => new IntegerValue(map.Entries.Count),
        NilValue => throw new TemplateFunctionException("error calling len: len of nil pointer"),
        _ => throw new TemplateFunctionException($"error calling len: len of type {value.TypeName}"),
    };

    private static TemplateValue Index(IReadOnlyList<TemplateValue> arguments)
    {
        TemplateValue value = arguments.Count > 0 ? arguments[0] : throw Count("index", "at least 1", 0);
        for (int i = 1; i < arguments.Count; i++)
        {
            value = (value, arguments[i]) switch
            {
                (NilValue, _) => throw new TemplateFunctionException("error calling index: index of nil pointer"),
                (ListValue list, IntegerValue at) => at.Value >= 0 && at.Value < list.Items.Count
                    ? list.Items[(int)at.Value]
                    : throw new TemplateFunctionException($"error calling index: index out of range: {at.Value}"),
                (StringValue text, IntegerValue at) => at.Value >= 0 && at.Value < Encoding.UTF8.GetByteCount(text.Value)
                    ? TemplateValue.Of((long)Encoding.UTF8.GetBytes(text.Value)[at.Value])
                    : throw new TemplateFunctionException($"error calling index: index out of range: {at.Value}"),
                (MapValue map, StringValue key) => map.Field(key.Value) is var entry && entry is NilValue && !map.Entries.ContainsKey(key.Value)
                    ? StringValue.Empty // Go gives the element type's zero value here
                    : entry,
                (MapValue or ListValue or StringValue, var at) =>
                    throw new TemplateFunctionException($"error calling index: cannot index slice/array with type {at.TypeName}"),
                _ => throw new TemplateFunctionException($"error calling index: can't index item of type {value.TypeName}"),
            };
        }

        return value;
    }

    private static TemplateValue Slice(IReadOnlyList<TemplateValue> arguments)
    {
        TemplateValue value = arguments.Count is >= 1 and <= 3 ? arguments[0] : throw Count("slice", "1 to 3", arguments.Count);
        byte[] bytes = value is StringValue text ? Encoding.UTF8.GetBytes(text.Value) : [];
        int length = value switch
        {
            StringValue => bytes.Length,
            ListValue list => list.Items.Count,
            _ => throw new TemplateFunctionException($"error calling slice: can't slice item of type {value.TypeName}"),
        };
        int from = arguments.Count > 1 ? Number(arguments[1]) : 0;
        int to = arguments.Count > 2 ? Number(arguments[2]) : length;
        foreach (int at in (ReadOnlySpan<int>)[from, to])
        {
            if (at < 0 || at > length)
            {
                throw new TemplateFunctionException($"error calling slice: index out of range: {at}");
            }
        }

        return from > to ? throw new TemplateFunctionException($"error calling slice: invalid slice index: {from} > {to}")
            : value is ListValue items ? new ListValue(items.Items.Skip(from).Take(to - from).ToList())
            : TemplateValue.Of(Encoding.UTF8.GetString(bytes, from, to - from));
    }

    private static string Json(TemplateValue value)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, JsonOutput.WriterOptions(indent: 0)))
        {
            value.WriteJson(json);
        }

        return JsonOutput.EscapeActive(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length), html: false);
    }

    private static TemplateValue Join(IReadOnlyList<TemplateValue> arguments) => arguments[0] is ListValue list
        ? TemplateValue.Of(string.Join(Text("join", arguments[1]), list.Items.Select(item => item.ToString())))
        : throw new TemplateFunctionException($"wrong type for value; expected []string; got {arguments[0].TypeName}");

    private static ListValue Split(IReadOnlyList<TemplateValue> arguments)
    {
        string text = Text("split", arguments[0]);
        string separator = Text("split", arguments[1]);
        return separator.Length > 0
            ? new ListValue(text.Split(separator).Select(TemplateValue.Of).ToList())
            : new ListValue(text.EnumerateRunes().Select(rune => TemplateValue.Of(rune.ToString())).ToList());
    }

    private static string Title(string text)
    {
        StringBuilder title = new(text.Length);
        bool starts = true;
        foreach (char c in text)
        {
            title.Append(starts ? char.ToUpperInvariant(c) : c);
            starts = !(char.IsLetterOrDigit(c) || c is '_' or '\'');
        }

        return title.ToString();
    }

    private static TemplateValue Pad(IReadOnlyList<TemplateValue> arguments)
    {
        string text = Text("pad", arguments[0]);
        int before = Math.Clamp(Number(arguments[1]), 0, 1024);
        int after = Math.Clamp(Number(arguments[2]), 0, 1024);
        return text.Length == 0 ? StringValue.Empty : TemplateValue.Of($"{new string(' ', before)}{text}{new string(' ', after)}");
    }

    private static TemplateValue Truncate(IReadOnlyList<TemplateValue> arguments)
    {
        string text = Text("truncate", arguments[0]);
        int length = Number(arguments[1]);
        return TemplateValue.Of(length >= 0 && length < text.Length ? text[..length] : text);
    }
}
