using System.ComponentModel;
using System.Diagnostics;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Transports;

/// <summary>Writes to a store of podman, buildah or CRI-O, through skopeo: only containers/storage may write there.</summary>
internal static class StorageSkopeo
{
    private const string Program = "skopeo";
    private const int MostOfErrors = 8 << 10;

    /// <summary>Ends the work that cannot succeed, before anything is read.</summary>
    /// <param name="target">What stands behind <c>containers-storage:</c>.</param>
    /// <exception cref="OciException">There is no skopeo, or the target is none.</exception>
    internal static void RequireWritable(string target)
    {
        if (ContainersStorageName.Parse(target, new ContainersStoragePlace("/", Driver: null, [])).Image.Length == 0)
        {
            throw new OciException($"'containers-storage:{Printable.Shorten(target)}': there is no name for the image behind the store");
        }

        Find();
    }

    /// <summary>Writes an image into a store, by way of plain files in a temporary directory.</summary>
    /// <remarks><c>dir:</c>, because it has manifests of both formats as they are: a layout's must be OCI's.</remarks>
    /// <param name="image">The image.</param>
    /// <param name="target">What stands behind <c>containers-storage:</c>.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up; skopeo is ended.</param>
    /// <exception cref="OciException">There is no skopeo, or it failed; the message has its words.</exception>
    internal static async Task WriteAsync(CollectedImage image, string target, ICopyProgress progress, CancellationToken cancellationToken)
    {
        string directory = Path.Join(TransportImages.Temporary, $"oci-{Path.GetRandomFileName()}");
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await LayoutWriter.WriteDirectoryAsync(new DirectorySink(directory), image, progress, cancellationToken);
            await RunAsync(directory, target, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"'{Printable.Shorten(directory)}' cannot be written: {e.Message.TrimEnd('.')}", e);
        }
        finally
        {
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static async Task RunAsync(string directory, string target, CancellationToken cancellationToken)
    {
        string what = $"'containers-storage:{Printable.Shorten(target)}'";
        using Process process = Start(Find(), what,
        [
            // the image is ours already: whoever let it in has asked the policy
            "copy", "--quiet", "--insecure-policy", "--preserve-digests", $"dir:{directory}", $"containers-storage:{target}",
        ]);
        try
        {
            process.StandardInput.Close();
            Task<string> output = ReadEndAsync(process.StandardOutput, cancellationToken);
            string errors = await ReadEndAsync(process.StandardError, cancellationToken);
            await output;
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new OciException($"{what} cannot be written: {Program}: {CauseOf(errors, process.ExitCode)}");
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>The cause that skopeo tells: the text of its last line, which is a line of a log.</summary>
    internal static string CauseOf(string errors, int status)
    {
        string last = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? $"it ended with status {status}";
        const string Mark = "msg=\"";
        int start = last.IndexOf(Mark, StringComparison.Ordinal);
        string text = start >= 0 && last.EndsWith('"') && last.Length > start + Mark.Length
            ? last[(start + Mark.Length)..^1].Replace("\\\"", "\"", StringComparison.Ordinal)
            : last;
        return Printable.Shorten(text.Trim(), 600);
    }

    private static string Find() =>
        Executables.Find([.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Where(directory => directory.StartsWith('/')).Select(directory => Path.Join(directory, Program))]).Path
        ?? throw new OciException($"writing to containers-storage: needs {Program}, which is not found in $PATH")
        {
            Hint = "install skopeo; or: oci save IMAGE | podman load",
        };

    private static Process Start(string path, string what, string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(path, arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception e)
        {
            throw new OciException($"{what} cannot be written: {path}: {e.Message}", e);
        }
    }

    private static async Task<string> ReadEndAsync(StreamReader output, CancellationToken cancellationToken)
    {
        char[] buffer = new char[2 * MostOfErrors];
        int length = 0;
        int read;
        while ((read = await output.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0)
        {
            length += read;
            if (length == buffer.Length)
            {
                buffer.AsSpan(MostOfErrors).CopyTo(buffer);
                length = MostOfErrors;
            }
        }

        return new string(buffer, 0, length);
    }
}
