using System.CommandLine;
using OciTool.Images;

namespace OciTool.Cli;

/// <summary>Reads arguments by podman's rules for flags and hands them on in the one form that has no second meaning.</summary>
/// <remarks>
/// podman's flag library clusters short flags (<c>-it</c>), takes a value behind a short flag (<c>-t0</c>), takes the
/// next word as a value whatever it looks like, lets the last of several win, and ends a verb's own flags at the
/// image. System.CommandLine differs in each of these; behind <c>--name=value</c> and <c>--</c> the two agree.
/// </remarks>
internal sealed class FlagArguments
{
    private readonly List<string> _flags = [];
    private readonly Dictionary<string, int> _positions = [];
    private readonly List<string> _operands = [];

    private FlagArguments(GlobalOptions global) => Global = global;

    /// <summary>The global options, wherever they stood.</summary>
    public GlobalOptions Global { get; private set; }

    /// <summary>Whether <c>--help</c> or <c>-h</c> was given, and is not the verb's own.</summary>
    public bool Help { get; private set; }

    /// <summary>How many positional arguments there are.</summary>
    public int OperandCount => _operands.Count;

    /// <summary>Reads what follows a verb's name.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="arguments">The words after its name.</param>
    /// <param name="global">The global options that stood before its name.</param>
    /// <exception cref="UsageException">A flag is unknown, lacks its value or has a wrong one.</exception>
    public static FlagArguments Read(Verb verb, ReadOnlySpan<string> arguments, GlobalOptions global)
    {
        FlagArguments read = new(global);
        if (verb.ReadsRawWords)
        {
            read._operands.AddRange(arguments);
            return read;
        }

        int i = 0;
        while (i < arguments.Length)
        {
            string word = arguments[i++];
            if (word == "--")
            {
                read._operands.AddRange(arguments[i..]);
                break;
            }

            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                read.ReadLong(verb, word, arguments, ref i);
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                read.ReadShort(verb, word, arguments, ref i);
            }
            else
            {
                read._operands.Add(word);
                if (verb.OptionsEndAtOperand)
                {
                    read._operands.AddRange(arguments[i..]);
                    break;
                }
            }
        }

        return read;
    }

    /// <summary>The same in the form that System.CommandLine reads without a second meaning.</summary>
    /// <param name="verb">The verb.</param>
    public string[] Canonical(Verb verb)
    {
        List<string> canonical = new(_flags.Count + _operands.Count + 2) { verb.Name };
        canonical.AddRange(_flags);
        if (_operands.Count > 0)
        {
            canonical.Add("--");
            canonical.AddRange(_operands);
        }

        return [.. canonical];
    }

    /// <summary>Checks the number of positional arguments.</summary>
    /// <param name="verb">The verb.</param>
    /// <exception cref="UsageException">There are too few or too many.</exception>
    public void CheckOperandCount(Verb verb)
    {
        int least = 0;
        int most = 0;
        foreach (Argument argument in verb.Arguments)
        {
            least += argument.Arity.MinimumNumberOfValues;
            most = Math.Min(1_000_000, most + argument.Arity.MaximumNumberOfValues);
        }

        int count = _operands.Count;
        if (count < least || count > most)
        {
            throw new UsageException(
                most == 0 ? $"`{verb.Path}` takes no arguments"
                : least == most ? $"accepts {least} arg(s), received {count}"
                : count < least && most >= 100_000 ? $"requires at least {least} arg(s), only received {count}"
                : least == 0 ? $"accepts at most {most} arg(s), received {count}"
                : $"accepts between {least} and {most} arg(s), received {count}");
        }
    }

    /// <summary>Whether an option is a switch, which takes its value only behind an equals sign.</summary>
    /// <param name="option">The option.</param>
    public static bool IsSwitch(Option option) => option.ValueType == typeof(bool) || option.ValueType == typeof(bool?);

    private static UsageException Wrong(Verb verb, string message) => new(message) { Advice = $"See '{verb.Path} --help'" };

    private static Option? Find(Verb verb, string name)
    {
        foreach (Option option in verb.Options)
        {
            if (option.Name == name || option.Aliases.Contains(name))
            {
                return option;
            }
        }

        return null;
    }

    private void ReadLong(Verb verb, string word, ReadOnlySpan<string> arguments, ref int next)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? word : word[..equals];
        string? value = equals < 0 ? null : word[(equals + 1)..];
        Option? option = Find(verb, name);
        if (option is null && name == "--help")
        {
            Help = true;
            return;
        }

        if (option is null && !GlobalOptions.IsName(name))
        {
            throw name.Length == 2
                ? Wrong(verb, $"bad flag syntax: {Printable.Escape(word)}")
                : Wrong(verb, $"unknown flag: {Printable.Escape(name)}");
        }

        if (option is not null && IsSwitch(option))
        {
            Set(verb, option, name, value ?? "true");
            return;
        }

        if (value is null)
        {
            value = next < arguments.Length ? arguments[next++] : throw Wrong(verb, $"flag needs an argument: {name}");
        }

        if (option is null)
        {
            Global = Global.With(name, value);
        }
        else
        {
            Set(verb, option, name, value);
        }
    }

    private void ReadShort(Verb verb, string word, ReadOnlySpan<string> arguments, ref int next)
    {
        for (int i = 1; i < word.Length; i++)
        {
            string name = $"-{word[i]}";
            Option? option = Find(verb, name);
            if (option is null && name == "-h")
            {
                Help = true;
                return;
            }

            if (option is null)
            {
                throw Wrong(verb, $"unknown shorthand flag: '{Printable.Escape(word.AsSpan(i, 1))}' in {Printable.Escape(word)}");
            }

            bool assigned = i + 1 < word.Length && word[i + 1] == '=';
            if (assigned)
            {
                Set(verb, option, name, word[(i + 2)..]);
                return;
            }

            if (IsSwitch(option))
            {
                Set(verb, option, name, "true");
                continue;
            }

            string value = i + 1 < word.Length ? word[(i + 1)..]
                : next < arguments.Length ? arguments[next++]
                : throw Wrong(verb, $"flag needs an argument: '{word[i]}' in {word}");
            Set(verb, option, name, value);
            return;
        }
    }

    private void Set(Verb verb, Option option, string name, string value)
    {
        if (IsSwitch(option))
        {
            value = value switch
            {
                "1" or "t" or "T" or "true" or "TRUE" or "True" => "true",
                "0" or "f" or "F" or "false" or "FALSE" or "False" => "false",
                _ => throw Wrong(verb, $"invalid argument \"{Printable.Escape(value)}\" for \"{Spelled(option)}\" flag: "
                    + $"strconv.ParseBool: parsing \"{Printable.Escape(value)}\": invalid syntax"),
            };
        }
        else if ((option.ValueType == typeof(int) || option.ValueType == typeof(int?)) && !int.TryParse(value, out _))
        {
            throw Wrong(verb, $"invalid argument \"{Printable.Escape(value)}\" for \"{Spelled(option)}\" flag: "
                + $"strconv.ParseInt: parsing \"{Printable.Escape(value)}\": invalid syntax");
        }

        string flag = $"{option.Name}={value}";
        bool single = option.Arity.MaximumNumberOfValues <= 1;
        if (single && _positions.TryGetValue(option.Name, out int position))
        {
            _flags[position] = flag;
            return;
        }

        _positions[option.Name] = _flags.Count;
        _flags.Add(flag);
    }

    // -q, --quiet
    private static string Spelled(Option option)
    {
        foreach (string alias in option.Aliases)
        {
            if (alias.Length == 2)
            {
                return $"{alias}, {option.Name}";
            }
        }

        return option.Name;
    }
}
