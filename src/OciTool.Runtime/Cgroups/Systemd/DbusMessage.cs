using OciTool.Images;

namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>What a message of D-Bus is.</summary>
internal enum DbusMessageType : byte
{
    Invalid,
    Call,
    Return,
    Error,
    Signal,
}

/// <summary>A message of D-Bus (D-Bus specification, "Message Protocol").</summary>
/// <param name="Type">What it is.</param>
internal sealed record DbusMessage(DbusMessageType Type)
{
    // before the array of fields: byte order, type, flags, version, the body's length, the serial number
    internal const int FixedLength = 16;

    private const int MostBytes = 1 << 27;

    internal uint Serial { get; init; }

    internal uint ReplyTo { get; init; }

    internal string? Path { get; init; }

    internal string? Interface { get; init; }

    internal string? Member { get; init; }

    internal string? ErrorName { get; init; }

    internal string? Destination { get; init; }

    internal string? Sender { get; init; }

    /// <summary>The types of the body's values; empty where there are none.</summary>
    internal string Signature { get; init; } = "";

    /// <summary>The values.</summary>
    internal byte[] Body { get; init; } = [];

    internal bool IsBigEndian { get; init; }

    /// <summary>Reads the values.</summary>
    internal DbusReader Read() => new(Body, IsBigEndian);

    /// <summary>The bytes of the message.</summary>
    internal byte[] ToArray()
    {
        DbusWriter writer = new();
        writer.Byte((byte)'l');
        writer.Byte((byte)Type);
        writer.Byte(0);
        writer.Byte(1);
        writer.UInt32((uint)Body.Length);
        writer.UInt32(Serial);
        writer.Array(8, fields =>
        {
            Field(fields, 1, "o", Path);
            Field(fields, 2, "s", Interface);
            Field(fields, 3, "s", Member);
            Field(fields, 4, "s", ErrorName);
            if (ReplyTo != 0)
            {
                fields.Align(8);
                fields.Byte(5);
                fields.Signature("u");
                fields.UInt32(ReplyTo);
            }

            Field(fields, 6, "s", Destination);
            if (Signature.Length > 0)
            {
                fields.Align(8);
                fields.Byte(8);
                fields.Signature("g");
                fields.Signature(Signature);
            }
        });
        writer.Align(8);
        return [.. writer.ToArray(), .. Body];
    }

    /// <summary>Reads a message.</summary>
    /// <param name="read">Reads the next bytes, as many as the array has.</param>
    /// <exception cref="OciException">It is no message.</exception>
    internal static DbusMessage Parse(Action<byte[]> read)
    {
        byte[] start = new byte[FixedLength];
        read(start);
        bool isBigEndian = start[0] == (byte)'B';
        DbusReader reader = new(start, isBigEndian);
        reader.UInt32();
        uint bodyLength = reader.UInt32();
        uint serial = reader.UInt32();
        uint fieldsLength = reader.UInt32();
        if (start[0] is not ((byte)'l' or (byte)'B') || start[3] != 1 || bodyLength > MostBytes || fieldsLength > MostBytes)
        {
            throw new OciException("what came over D-Bus is no message");
        }

        byte[] fields = new byte[(fieldsLength + 7) / 8 * 8];
        read(fields);
        byte[] body = new byte[bodyLength];
        read(body);
        DbusMessage message = new((DbusMessageType)start[1]) { Serial = serial, Body = body, IsBigEndian = isBigEndian };
        reader = new(fields, isBigEndian);
        while (reader.Position < fieldsLength)
        {
            message = ReadField(message, reader);
            reader.Align(8);
        }

        return message;
    }

    private static DbusMessage ReadField(DbusMessage message, DbusReader reader)
    {
        byte code = reader.Byte();
        string type = reader.Signature();
        object value = type switch
        {
            "s" or "o" => reader.String(),
            "g" => reader.Signature(),
            "u" => reader.UInt32(),
            _ => throw new OciException("a message of D-Bus has a field of an unknown type"),
        };
        return (code, value) switch
        {
            (1, string path) => message with { Path = path },
            (2, string name) => message with { Interface = name },
            (3, string name) => message with { Member = name },
            (4, string name) => message with { ErrorName = name },
            (5, uint serial) => message with { ReplyTo = serial },
            (6, string name) => message with { Destination = name },
            (7, string name) => message with { Sender = name },
            (8, string signature) => message with { Signature = signature },
            _ => message,
        };
    }

    private static void Field(DbusWriter writer, byte code, string type, string? value)
    {
        if (value is not null)
        {
            writer.Align(8);
            writer.Byte(code);
            writer.Signature(type);
            writer.String(value);
        }
    }
}
