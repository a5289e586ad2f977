using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OciTool.Cli.Output;

/// <summary>Prints a record as YAML in block style, two blanks for each level: what <c>info</c> prints for people.</summary>
internal static class Yaml
{
    private static readonly SearchValues<char> Special = SearchValues.Create(":#{}[]&*!|>'\"%@`\n\t");

    /// <summary>Prints a record.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="value">The record.</param>
    /// <param name="type">Its source-generated metadata.</param>
    /// <typeparam name="T">Its type.</typeparam>
    public static void Write<T>(TextWriter output, T value, JsonTypeInfo<T> type) =>
        WriteMembers(output, JsonSerializer.SerializeToElement(value, type), indent: 0);

    private static void WriteMembers(TextWriter output, JsonElement map, int indent)
    {
        foreach (JsonProperty member in map.EnumerateObject())
        {
            output.Write(new string(' ', indent));
            output.Write(member.Name);
            output.Write(':');
            switch (member.Value.ValueKind)
            {
                case JsonValueKind.Object when member.Value.GetPropertyCount() == 0:
                    output.Write(" {}\n");
                    break;
                case JsonValueKind.Object:
                    output.Write('\n');
                    WriteMembers(output, member.Value, indent + 2);
                    break;
                case JsonValueKind.Array when member.Value.GetArrayLength() == 0:
                    output.Write(" []\n");
                    break;
                case JsonValueKind.Array:
                    output.Write('\n');
                    foreach (JsonElement item in member.Value.EnumerateArray())
                    {
                        output.Write($"{new string(' ', indent)}- {Scalar(item)}\n");
                    }

                    break;
                default:
                    output.Write($" {Scalar(member.Value)}\n");
                    break;
            }
        }
    }

    private static string Scalar(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return value.GetRawText();
        }

        string text = value.GetString()!;
        bool plain = text.Length > 0 && text.AsSpan().IndexOfAny(Special) < 0
            && !char.IsWhiteSpace(text[0]) && !char.IsWhiteSpace(text[^1]) && text[0] is not ('-' or '?') && !double.TryParse(text, out _)
            && text is not ("true" or "false" or "null" or "yes" or "no" or "~");
        return plain ? text : value.GetRawText();
    }
}
