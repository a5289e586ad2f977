using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>The other end of <c>--console-socket</c>: takes the terminal, tells what arrived, and passes on what is typed and shown.</summary>
/// <remarks>In Python, because .NET cannot receive descriptors.</remarks>
internal sealed class ConsoleSocket : IDisposable
{
    private const string Script = """
        import os, select, socket, sys, termios, fcntl, struct
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(sys.argv[1])
        listener.listen(1)
        print("listening", flush=True)
        connection, _ = listener.accept()
        payload, fds, flags, _ = socket.recv_fds(connection, 4096, 16)
        rest = connection.recv(4096)
        name = os.readlink("/proc/self/fd/%d" % fds[0])
        size = struct.unpack("HHHH", fcntl.ioctl(fds[0], termios.TIOCGWINSZ, b"\0" * 8))
        print("received fds=%d payload=%s rest=%d master=%s size=%dx%d" % (len(fds), "some" if payload else "none", len(rest), name, size[0], size[1]), flush=True)
        sources = [fds[0], 0]
        while fds[0] in sources:
            for source in select.select(sources, [], [])[0]:
                try:
                    data = os.read(source, 4096)
                except OSError:
                    data = b""
                if not data:
                    sources.remove(source)
                elif source == 0:
                    os.write(fds[0], data)
                else:
                    sys.stdout.buffer.write(data)
                    sys.stdout.buffer.flush()
        print("hangup", flush=True)
        """;

    private readonly RunningProgram _program;

    private ConsoleSocket(string path)
    {
        Path = path;
        _program = RunningProgram.Start("/usr/bin/python3", ["-c", Script, path]);
    }

    /// <summary>The socket.</summary>
    public string Path { get; }

    public static async Task<ConsoleSocket> ListenAsync(string path)
    {
        Need.That(File.Exists("/usr/bin/python3"), "needs the package python3-minimal");
        ConsoleSocket socket = new(path);
        await socket._program.OutputHasAsync("listening");
        return socket;
    }

    /// <summary>Waits for a text among what the socket and the terminal brought.</summary>
    public Task<string> HasAsync(string text) => _program.OutputHasAsync(text);

    public async Task TypeAsync(string text)
    {
        await _program.Input.WriteAsync(text);
        await _program.Input.FlushAsync();
    }

    public void Dispose() => _program.Dispose();
}
