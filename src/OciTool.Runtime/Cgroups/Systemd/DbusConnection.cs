using System.Net.Sockets;
using System.Text;
using OciTool.Images;

namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>A connection to a message bus, for one thread.</summary>
internal sealed class DbusConnection : IDisposable
{
    private const string Bus = "org.freedesktop.DBus";

    // systemd answers a start or stop of a unit when it is done
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;
    private readonly Queue<DbusMessage> _signals = [];
    private uint _serial;

    private DbusConnection(Socket socket) => _socket = socket;

    /// <summary>Connects to a bus and says who we are.</summary>
    /// <param name="path">The path of its socket.</param>
    /// <exception cref="OciException">There is no bus, or it refuses us.</exception>
    internal static DbusConnection Open(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
            SendTimeout = (int)Patience.TotalMilliseconds,
        };
        DbusConnection connection = new(socket);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            connection.Authenticate();
            connection.Call(Bus, "/org/freedesktop/DBus", Bus, "Hello");
            return connection;
        }
        catch (Exception e) when (e is SocketException or OciException)
        {
            connection.Dispose();
            throw new OciException($"cannot use the message bus '{Printable.Shorten(path)}': {e.Message}", e);
        }
    }

    /// <summary>Calls a method and waits for its result.</summary>
    /// <param name="destination">Whose method.</param>
    /// <param name="path">Of which object.</param>
    /// <param name="type">Of which interface.</param>
    /// <param name="member">Its name.</param>
    /// <param name="signature">The types of the arguments.</param>
    /// <param name="write">Writes the arguments.</param>
    /// <exception cref="DbusException">The method has failed.</exception>
    /// <exception cref="OciException">The bus does not answer.</exception>
    internal DbusMessage Call(
        string destination, string path, string type, string member, string signature = "", Action<DbusWriter>? write = null)
    {
        DbusWriter body = new();
        write?.Invoke(body);
        uint serial = Send(new(DbusMessageType.Call)
        {
            Destination = destination,
            Path = path,
            Interface = type,
            Member = member,
            Signature = signature,
            Body = body.ToArray(),
        });
        while (true)
        {
            DbusMessage message = Receive();
            switch (message.Type)
            {
                case DbusMessageType.Signal:
                    _signals.Enqueue(message); // may be about what we have just called for
                    break;
                case DbusMessageType.Return when message.ReplyTo == serial:
                    return message;
                case DbusMessageType.Error when message.ReplyTo == serial:
                    throw new DbusException(
                        message.ErrorName ?? "", message.Signature.StartsWith('s') ? message.Read().String() : message.ErrorName ?? "");
            }
        }
    }

    /// <summary>Asks for the signals that match a rule.</summary>
    internal void AddMatch(string rule) =>
        Call(Bus, "/org/freedesktop/DBus", Bus, "AddMatch", "s", writer => writer.String(rule));

    /// <summary>Waits for the next signal.</summary>
    /// <exception cref="OciException">None comes.</exception>
    internal DbusMessage NextSignal()
    {
        if (_signals.TryDequeue(out DbusMessage? waiting))
        {
            return waiting;
        }

        while (true)
        {
            DbusMessage message = Receive();
            if (message.Type == DbusMessageType.Signal)
            {
                return message;
            }
        }
    }

    /// <summary>Sends a message.</summary>
    /// <returns>The serial number that a reply refers to.</returns>
    internal uint Send(DbusMessage message)
    {
        SendAll((message with { Serial = ++_serial }).ToArray());
        return _serial;
    }

    /// <summary>Waits for the next message.</summary>
    /// <exception cref="OciException">None comes.</exception>
    internal DbusMessage Receive() => DbusMessage.Parse(ReceiveAll);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // SASL's EXTERNAL: the kernel tells the bus who we are, so that we need not say it (and do not know it in a user namespace)
    private void Authenticate()
    {
        SendAll("\0AUTH EXTERNAL\r\n"u8);
        string answer = ReceiveLine();
        if (answer.StartsWith("DATA", StringComparison.Ordinal))
        {
            SendAll("DATA\r\n"u8);
            answer = ReceiveLine();
        }

        if (!answer.StartsWith("OK ", StringComparison.Ordinal))
        {
            throw new OciException($"it does not let us in: {Printable.Shorten(answer)}");
        }

        SendAll("BEGIN\r\n"u8);
    }

    private string ReceiveLine()
    {
        StringBuilder line = new();
        byte[] one = new byte[1];
        while (line.Length < 1024)
        {
            ReceiveAll(one);
            if (one[0] == '\n')
            {
                break;
            }

            line.Append((char)one[0]);
        }

        return line.ToString().TrimEnd('\r');
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0)
            {
                bytes = bytes[_socket.Send(bytes)..];
            }
        }
        catch (SocketException e)
        {
            throw new OciException($"cannot write to the message bus: {e.Message}", e);
        }
    }

    private void ReceiveAll(byte[] bytes)
    {
        try
        {
            for (int length = 0; length < bytes.Length;)
            {
                int received = _socket.Receive(bytes.AsSpan(length));
                length += received > 0 ? received : throw new OciException("the message bus has closed the connection");
            }
        }
        catch (SocketException e)
        {
            throw new OciException($"cannot read from the message bus: {e.Message}", e);
        }
    }
}

/// <summary>A method that was called over D-Bus has failed.</summary>
/// <param name="name">The error's name.</param>
/// <param name="message">What the other side says.</param>
internal sealed class DbusException(string name, string message) : OciException(Printable.Shorten(message))
{
    /// <summary>The error's name, for example <c>org.freedesktop.systemd1.UnitExists</c>.</summary>
    internal string Name { get; } = name;
}
