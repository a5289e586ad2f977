using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>Asks a <c>docker-credential-NAME</c> program for the credentials of one server.</summary>
/// <remarks>The protocol of docker-credential-helpers: the server on stdin, JSON on stdout.</remarks>
internal static class CredentialHelper
{
    private const int MaxOutput = 64 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>The credentials; null when the helper has none for the server.</summary>
    /// <exception cref="OciException">The helper is missing, failed, or took longer than half a minute.</exception>
    internal static async Task<Credentials?> GetAsync(
        string helper, string server, string? searchPath, TimeProvider time, CancellationToken cancellationToken)
    {
        if (helper.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new OciException($"invalid credential helper '{Printable.Shorten(helper, 64)}': a name has lower-case letters, digits, '.', '_' and '-'");
        }

        string name = $"docker-credential-{helper}";
        using Process process = Start(name, searchPath);
        using CancellationTokenSource patience = new(Patience, time);
        using CancellationTokenSource linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await AskAsync(process.StandardInput, server, linked.Token);
            byte[] output = new byte[MaxOutput];
            int length = await process.StandardOutput.BaseStream.ReadAtLeastAsync(output, MaxOutput, throwOnEndOfStream: false, linked.Token);
            if (length == MaxOutput)
            {
                throw new OciException($"credential helper {name}: it wrote more than {MaxOutput} bytes");
            }

            await process.WaitForExitAsync(linked.Token);
            return process.ExitCode == 0 ? Parse(name, output.AsSpan(0, length))
                : output.AsSpan(0, length).StartsWith("credentials not found"u8) ? null
                : throw new OciException($"credential helper {name}: it failed with status {process.ExitCode}");
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
    private static async Task AskAsync(StreamWriter input, string server, CancellationToken cancellationToken)
    {
        try
        {
            await input.WriteAsync(server.AsMemory(), cancellationToken);
            input.Close();
        }
        catch (IOException)
        {
        }
    }

    private static Process Start(string name, string? searchPath)
    {
        // Process would look in the current directory first, which may be somebody else's
        string path = (searchPath ?? "").Split(':')
            .Where(directory => directory.StartsWith('/'))
            .Select(directory => Path.Join(directory, name))
            .FirstOrDefault(File.Exists)
            ?? throw new OciException($"credential helper {name}: not found in $PATH");
        try
        {
            return Process.Start(new ProcessStartInfo(path, "get")
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
            : answer.User is "<token>" ? new Credentials("", "") { IdentityToken = answer.Secret }
            : new Credentials(answer.User ?? "", answer.Secret);
    }
}
