namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>A property of a unit.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its D-Bus type.</param>
/// <param name="Value">Its value: a number, a text, a bool, or an array of such.</param>
internal sealed record SystemdProperty(string Name, string Type, object Value)
{
    internal static SystemdProperty Of(string name, ulong value) => new(name, "t", value);

    internal static SystemdProperty Of(string name, string value) => new(name, "s", value);

    internal static SystemdProperty Of(string name, bool value) => new(name, "b", value);

    /// <summary>Writes it as an element of <c>a(sv)</c>.</summary>
    internal void Write(DbusWriter writer)
    {
        writer.Align(8);
        writer.String(Name);
        writer.Signature(Type);
        switch (Value)
        {
            case ulong number:
                writer.UInt64(number);
                break;
            case string text:
                writer.String(text);
                break;
            case bool flag:
                writer.Boolean(flag);
                break;
            case byte[] bytes:
                writer.Array(1, array => Array.ForEach(bytes, array.Byte));
                break;
            case uint[] numbers:
                writer.Array(4, array => Array.ForEach(numbers, array.UInt32));
                break;
            case string[] texts:
                writer.Array(4, array => Array.ForEach(texts, array.String));
                break;
            case (string First, string Second)[] pairs:
                writer.Array(8, array =>
                {
                    foreach ((string first, string second) in pairs)
                    {
                        array.Align(8);
                        array.String(first);
                        array.String(second);
                    }
                });
                break;
            default:
                throw new ArgumentException($"property {Name} has no value that can be sent", nameof(writer));
        }
    }
}
