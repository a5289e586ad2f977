using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>An agent of <c>listenerPath</c>: takes listeners, tells what came with them, and answers every call with EOPNOTSUPP.</summary>
/// <remarks>In Python, because .NET cannot receive descriptors. Structures and requests: seccomp_unotify(2).</remarks>
internal sealed class AgentSocket : IDisposable
{
    private const string Script = """
        import array, fcntl, json, socket, struct, sys, threading
        RECEIVE, SEND = 0xC0502100, 0xC0182101
        def attend(listener, told):
            first = True
            while True:
                request = bytearray(80)
                try:
                    fcntl.ioctl(listener, RECEIVE, request)
                except OSError:
                    return
                number, pid = struct.unpack_from("QI", request)
                if first:
                    print("agent metadata=%s id=%s pid=%s" % (told["metadata"], told["state"]["id"], "same" if pid == told["pid"] else "other"), flush=True)
                first = False
                fcntl.ioctl(listener, SEND, bytearray(struct.pack("QqiI", number, 0, -95, 0)))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(sys.argv[1])
        server.listen(4)
        print("listening", flush=True)
        while True:
            connection, _ = server.accept()
            payload, fds, _, _ = socket.recv_fds(connection, 65536, 4)
            threading.Thread(target=attend, args=(fds[0], json.loads(payload)), daemon=True).start()
        """;

    private readonly RunningProgram _program;

    private AgentSocket(string path)
    {
        Path = path;
        _program = RunningProgram.Start("/usr/bin/python3", ["-c", Script, path]);
    }

    /// <summary>The socket.</summary>
    public string Path { get; }

    public static async Task<AgentSocket> ListenAsync(string path)
    {
        Need.That(File.Exists("/usr/bin/python3"), "needs the package python3-minimal");
        AgentSocket socket = new(path);
        await socket._program.OutputHasAsync("listening");
        return socket;
    }

    /// <summary>Waits for a text among what the agent tells.</summary>
    public Task<string> HasAsync(string text) => _program.OutputHasAsync(text);

    public void Dispose() => _program.Dispose();
}
