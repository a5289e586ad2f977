using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Cli.Commands;

/// <summary>Asks on the terminal for what logging in needs.</summary>
internal static class LoginPrompt
{
    private const int MaxInput = 64 << 10;

    /// <summary>Asks for the user's name; where standard input is no terminal, its first line answers.</summary>
    /// <param name="output">Where the question goes.</param>
    /// <param name="known">The name that an empty answer means; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">There is no answer.</exception>
    public static async Task<string> UserAsync(TextWriter output, string? known, CancellationToken cancellationToken)
    {
        using SafeFileHandle input = new(0, ownsHandle: false);
        if (Terminal.Is(input))
        {
            await AskAsync(output, string.IsNullOrEmpty(known) ? "Username: " : $"Username ({Printable.Escape(known)}): ");
        }

        string? line = await ReadLineAsync(cancellationToken);
        string user = string.IsNullOrWhiteSpace(line) ? known ?? "" : line;
        return line is not null && user.Length > 0 ? user : throw new OciException("getting username and password: no username was given")
        {
            Hint = "give it with --username",
        };
    }

    /// <summary>Asks for the password, which is not shown.</summary>
    /// <param name="output">Where the question goes.</param>
    /// <param name="cancellationToken">Gives up; the terminal shows again what is typed.</param>
    /// <exception cref="OciException">Standard input is not a terminal.</exception>
    public static async Task<string> PasswordAsync(TextWriter output, CancellationToken cancellationToken)
    {
        using SafeFileHandle input = new(0, ownsHandle: false);
        if (!Terminal.Is(input))
        {
            throw new OciException("getting username and password: cannot ask for a password where standard input is no terminal")
            {
                Hint = "give it with --password-stdin",
            };
        }

        // silent before the question is seen: what is typed at once is not shown either
        using Terminal.RawMode silent = Terminal.SetSilent(input);
        await AskAsync(output, "Password: ");
        try
        {
            return await ReadLineAsync(cancellationToken) ?? "";
        }
        finally
        {
            await output.WriteLineAsync();
        }
    }

    /// <summary>The password that standard input is: its lines without their ends, as podman reads it.</summary>
    /// <exception cref="OciException">It is too long, or empty.</exception>
    public static string ReadInput()
    {
        using FileStream input = Input();
        byte[] bytes = new byte[MaxInput + 1];
        int length = input.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        string text = Encoding.UTF8.GetString(bytes, 0, length).Replace("\r\n", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        return length > MaxInput ? throw new OciException($"the password on standard input is longer than {MaxInput} bytes")
            : text.Length == 0 ? throw new OciException("there is no password on standard input")
            : text;
    }

    // not Console's: it sets the terminal up in its own way, with echo
    [SuppressMessage("Reliability", "CA2000", Justification = "disposed with the stream")]
    private static FileStream Input() => new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    private static async Task AskAsync(TextWriter output, string question)
    {
        await output.WriteAsync(question);
        await output.FlushAsync();
    }

    // a read of the terminal cannot be given up; its thread is, and ends with the process
    private static Task<string?> ReadLineAsync(CancellationToken cancellationToken) => Task.Run(ReadLine, CancellationToken.None).WaitAsync(cancellationToken);

    private static string? ReadLine()
    {
        using FileStream input = Input();
        List<byte> line = [];
        int read;
        while ((read = input.ReadByte()) >= 0 && read != '\n')
        {
            if (line.Count == MaxInput)
            {
                throw new OciException($"the answer is longer than {MaxInput} bytes");
            }

            line.Add((byte)read);
        }

        return read < 0 && line.Count == 0 ? null : Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
    }
}
