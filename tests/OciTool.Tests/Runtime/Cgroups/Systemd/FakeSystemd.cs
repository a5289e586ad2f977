using System.Net.Sockets;
using OciTool.Images;
using OciTool.Runtime.Cgroups.Systemd;

namespace OciTool.Tests.Runtime.Cgroups.Systemd;

/// <summary>systemd as far as scopes need it, on a bus of its own or on a real one.</summary>
internal sealed class FakeSystemd : IDisposable
{
    private readonly Thread _thread;
    private Action _close;

    private FakeSystemd(Action<FakeSystemd> serve, Action close)
    {
        _close = close;
        _thread = new Thread(() =>
        {
            try
            {
                serve(this);
            }
            catch (Exception e) when (e is SocketException or OciException or ObjectDisposedException)
            {
                // it was disposed
            }
        });
        _thread.Start();
    }

    /// <summary>What was called, with its properties in words.</summary>
    internal List<string> Calls { get; } = [];

    /// <summary>The names of errors that the next calls of a method answer with.</summary>
    internal Dictionary<string, Queue<string>> Errors { get; } = [];

    /// <summary>What becomes of jobs.</summary>
    internal string JobResult { get; init; } = "done";

    internal string ControlGroup { get; init; } = "/machine.slice/oci-abc.scope";

    /// <summary>Listens itself: a bus with nobody but systemd on it, for one connection after the other.</summary>
    internal static FakeSystemd Listen(string path, string controlGroup = "/machine.slice/oci-abc.scope", string jobResult = "done")
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        return new(
            self =>
            {
                while (true)
                {
                    using Socket socket = listener.Accept();
                    try
                    {
                        self.ServeSocket(socket);
                    }
                    catch (IOException)
                    {
                        // the client has what it wanted
                    }
                }
            },
            listener.Dispose)
        {
            ControlGroup = controlGroup,
            JobResult = jobResult,
        };
    }

    /// <summary>Takes systemd's name on a real bus.</summary>
    internal static FakeSystemd Join(string path)
    {
        DbusConnection connection = DbusConnection.Open(path);
        connection.Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "su", writer =>
        {
            writer.String("org.freedesktop.systemd1");
            writer.UInt32(0);
        });
        return new(
            self =>
            {
                while (true)
                {
                    DbusMessage message = connection.Receive();
                    if (message.Type == DbusMessageType.Call)
                    {
                        self.Answer(message, reply => connection.Send(reply));
                    }
                }
            },
            connection.Dispose);
    }

    public void Dispose()
    {
        _close();
        _close = () => { };
        _thread.Join();
    }

    private void ServeSocket(Socket socket)
    {
        using NetworkStream stream = new(socket);
        string ReadLine()
        {
            List<byte> line = [];
            for (int next = stream.ReadByte(); next != '\n'; next = stream.ReadByte())
            {
                line.Add(next >= 0 ? (byte)next : throw new EndOfStreamException());
            }

            return string.Concat(line.Select(letter => (char)letter));
        }

        void Write(byte[] bytes) => stream.Write(bytes);
        Calls.Add(ReadLine().Replace("\0", "<0>").TrimEnd());
        Write("DATA\r\n"u8.ToArray());
        Calls.Add(ReadLine().TrimEnd());
        Write("OK 0123456789abcdef\r\n"u8.ToArray());
        Calls.Add(ReadLine().TrimEnd());
        uint serial = 0;
        while (true)
        {
            DbusMessage message = DbusMessage.Parse(bytes => stream.ReadExactly(bytes));
            Answer(message, reply => Write((reply with { Serial = ++serial }).ToArray()));
        }
    }

    private void Answer(DbusMessage call, Action<DbusMessage> send)
    {
        DbusMessage reply = new(DbusMessageType.Return) { ReplyTo = call.Serial, Destination = call.Sender };
        if (Errors.TryGetValue(call.Member!, out Queue<string>? errors) && errors.TryDequeue(out string? error))
        {
            Calls.Add($"{call.Member} fails");
            send(reply with { Type = DbusMessageType.Error, ErrorName = error, Signature = "s", Body = Body(body => body.String("it is so")) });
            return;
        }

        switch (call.Member)
        {
            case "StartTransientUnit" or "StopUnit":
                DbusReader arguments = call.Read();
                string unit = arguments.String();
                Calls.Add($"{call.Member} {unit} {arguments.String()} {(call.Member == "StopUnit" ? "" : Properties(arguments))}".TrimEnd());
                if (call.Member == "StartTransientUnit" && arguments.ArrayEnd(8) != arguments.Position)
                {
                    throw new InvalidDataException("auxiliary units");
                }

                // the signal comes first, as it may; and one about another job
                Signal(send, call, 6, unit);
                Signal(send, call, 7, unit);
                send(reply with { Signature = "o", Body = Body(body => body.String("/org/freedesktop/systemd1/job/7")) });
                break;
            case "SetUnitProperties":
                arguments = call.Read();
                Calls.Add($"{call.Member} {arguments.String()} {arguments.Boolean()} {Properties(arguments)}");
                send(reply);
                break;
            case "GetUnit":
                send(reply with { Signature = "o", Body = Body(body => body.String("/org/freedesktop/systemd1/unit/x")) });
                break;
            case "Get":
                arguments = call.Read();
                Calls.Add($"{call.Member} {call.Path} {arguments.String()} {arguments.String()}");
                send(reply with
                {
                    Signature = "v",
                    Body = Body(body =>
                    {
                        body.Signature("s");
                        body.String(ControlGroup);
                    }),
                });
                break;
            default:
                Calls.Add($"{call.Member}{(call.Signature == "s" ? " " + call.Read().String() : "")}");
                send(reply);
                break;
        }
    }

    private void Signal(Action<DbusMessage> send, DbusMessage call, int job, string unit) => send(new(DbusMessageType.Signal)
    {
        Path = "/org/freedesktop/systemd1",
        Interface = "org.freedesktop.systemd1.Manager",
        Member = "JobRemoved",
        Destination = call.Sender,
        Signature = "uoss",
        Body = Body(body =>
        {
            body.UInt32((uint)job);
            body.String($"/org/freedesktop/systemd1/job/{job}");
            body.String(unit);
            body.String(job == 7 ? JobResult : "failed");
        }),
    });

    private static string Properties(DbusReader reader)
    {
        List<string> properties = [];
        for (int end = reader.ArrayEnd(8); reader.Position < end;)
        {
            reader.Align(8);
            string name = reader.String();
            properties.Add($"{name}={Value(reader, reader.Signature())}");
        }

        return string.Join(' ', properties);
    }

    private static string Value(DbusReader reader, string type)
    {
        switch (type)
        {
            case "s":
                return reader.String();
            case "b":
                return reader.Boolean() ? "yes" : "no";
            case "t":
                return reader.UInt64() is var number and not ulong.MaxValue ? $"{number}" : "infinity";
            case "u":
                return $"{reader.UInt32()}";
            case "y":
                return $"{reader.Byte():x2}";
            case "(ss)":
                reader.Align(8);
                return $"{reader.String()}:{reader.String()}";
        }

        List<string> values = [];
        string element = type[1..];
        for (int end = reader.ArrayEnd(element == "(ss)" ? 8 : element == "y" ? 1 : 4); reader.Position < end;)
        {
            values.Add(Value(reader, element));
        }

        return $"[{string.Join(',', values)}]";
    }

    private static byte[] Body(Action<DbusWriter> write)
    {
        DbusWriter writer = new();
        write(writer);
        return writer.ToArray();
    }
}
