using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Talks to a <c>docker-credential-NAME</c> program, which keeps the credentials of servers.</summary>
/// <remarks>The protocol of docker-credential-helpers: the server, or JSON to store, on stdin; JSON on stdout.</remarks>
internal static class CredentialHelper
{
    private const int MaxOutput = 64 << 10;
    private const string TokenUser = "<token>"; // in place of a name when the secret is an identity token

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>The credentials; null when the helper has none for the server.</summary>
    /// <exception cref="OciException">The helper is missing, failed, or took longer than half a minute.</exception>
    internal static async Task<Credentials?> GetAsync(
        string helper, string server, string? searchPath, TimeProvider time, CancellationToken cancellationToken)
    {
        (int status, byte[] output) = await RunAsync(helper, "get", server, searchPath, time, cancellationToken);
        return status == 0 ? Parse(Program(helper), output)
            : output.AsSpan().StartsWith("credentials not found"u8) ? null
            : throw Failed(helper, status);
    }

    /// <summary>Has the helper keep credentials.</summary>
    /// <exception cref="OciException">The helper is missing, failed, or took longer than half a minute.</exception>
    internal static async Task StoreAsync(
        string helper, string server, Credentials credentials, string? searchPath, TimeProvider time, CancellationToken cancellationToken)
    {
        bool isToken = credentials.IdentityToken is not null;
        HelperDocument document = new(isToken ? TokenUser : credentials.User, credentials.IdentityToken ?? credentials.Password) { Server = server };
        string json = JsonSerializer.Serialize(document, RegistryJson.Default.HelperDocument);
        (int status, _) = await RunAsync(helper, "store", json, searchPath, time, cancellationToken);
        if (status != 0)
        {
            throw Failed(helper, status);
        }
    }

    /// <summary>Has the helper forget a server's credentials.</summary>
    /// <exception cref="OciException">The helper is missing, failed, or took longer than half a minute.</exception>
    internal static async Task EraseAsync(
        string helper, string server, string? searchPath, TimeProvider time, CancellationToken cancellationToken)
    {
        (int status, _) = await RunAsync(helper, "erase", server, searchPath, time, cancellationToken);
        if (status != 0)
        {
            throw Failed(helper, status);
        }
    }

    private static string Program(string helper) => $"docker-credential-{helper}";

    private static OciException Failed(string helper, int status) =>
        new($"credential helper {Program(helper)}: it failed with status {status}");

    // what a helper writes when it fails may have the secret in it: only its status is told
    private static async Task<(int Status, byte[] Output)> RunAsync(
        string helper, string action, string input, string? searchPath, TimeProvider time, CancellationToken cancellationToken)
    {
        if (helper.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new OciException($"invalid credential helper '{Printable.Shorten(helper, 64)}': a name has lower-case letters, digits, '.', '_' and '-'");
        }

        string name = Program(helper);
        using Process process = Start(name, action, searchPath);
        using CancellationTokenSource patience = new(Patience, time);
        using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await AskAsync(process.StandardInput, input, linked.Token);
            byte[] output = new byte[MaxOutput];
            int length = await process.StandardOutput.BaseStream.ReadAtLeastAsync(output, MaxOutput, throwOnEndOfStream: false, linked.Token);
            if (length == MaxOutput)
            {
                throw new OciException($"credential helper {name}: it wrote more than {MaxOutput} bytes");
            }

            await process.WaitForExitAsync(linked.Token);
            return (process.ExitCode, output[..length]);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OciException($"credential helper {name}: no answer within {Patience.TotalSeconds} s");
        }
        catch (IOException e)
        {
            throw new OciException($"credential helper {name}: {e.Message.TrimEnd('.')}", e);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    // a helper that ends without reading has said all that it wants to
    private static async Task AskAsync(StreamWriter input, string text, CancellationToken cancellationToken)
    {
        try
        {
            await input.WriteAsync(text.AsMemory(), cancellationToken);
            input.Close();
        }
        catch (IOException)
        {
        }
    }

    private static Process Start(string name, string action, string? searchPath)
    {
        // Process would look in the current directory first, which may be somebody else's
        string path = (searchPath ?? "").Split(':')
            .Where(directory => directory.StartsWith('/'))
            .Select(directory => Path.Join(directory, name))
            .FirstOrDefault(File.Exists)
            ?? throw new OciException($"credential helper {name}: not found in $PATH");
        try
        {
            return Process.Start(new ProcessStartInfo(path, action)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (Win32Exception e)
        {
            throw new OciException($"credential helper {path}: {e.Message}", e);
        }
    }

    private static Credentials? Parse(string name, ReadOnlySpan<byte> output)
    {
        HelperDocument? answer;
        try
        {
            answer = JsonSerializer.Deserialize(output, RegistryJson.Default.HelperDocument);
        }
        catch (JsonException)
        {
            throw new OciException($"credential helper {name}: its answer is not the JSON that it should be");
        }

        return answer is not { Secret.Length: > 0 } ? null
            : answer.User is TokenUser ? new Credentials("", "") { IdentityToken = answer.Secret }
            : new Credentials(answer.User ?? "", answer.Secret);
    }
}
