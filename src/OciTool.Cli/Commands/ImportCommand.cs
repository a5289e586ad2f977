using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http;
using System.Text.Json.Nodes;
using OciTool.Cli.Output;
using OciTool.Images;
using OciTool.Registry;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary><c>oci import PATH [REFERENCE]</c>: makes an image of one layer out of a tar archive.</summary>
internal sealed class ImportCommand : Verb
{
    private readonly Argument<string> _path = new("PATH") { Description = "A file, a URL, or - for the standard input." };
    private readonly Argument<string?> _reference = new("REFERENCE") { Description = "The name of the image.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _architecture = new("--arch") { Description = "Set the architecture of the imported image", HelpName = "string" };
    private readonly Option<string?> _os = new("--os") { Description = "Set the OS of the imported image", HelpName = "string" };
    private readonly Option<string?> _variant = new("--variant") { Description = "Set the variant of the imported image", HelpName = "string" };
    private readonly AuthoringFlags _authoring;

    public ImportCommand()
        : base("import", "Import a tarball to create a filesystem image")
    {
        Details = "Makes an image of one layer out of a tar archive, such as oci export writes, and prints its ID. The archive may be compressed by gzip, zstd, xz or bzip2. "
            + "A name without a registry means localhost; without a name the image has its ID alone.\n\n"
            + "The image's time is that of the file, or SOURCE_DATE_EPOCH: the same file gives the same ID.";
        Operands = "PATH [REFERENCE]";
        Examples =
        [
            "import rootfs.tar localhost/base",
            "import --change 'CMD [\"/bin/sh\"]' --message 'from a backup' https://example.com/ctr.tar.xz restored",
            "import - < ctr.tar",
        ];
        OperandKind = OperandKind.File;
        Add(_path);
        Add(_reference);
        Add(_architecture);
        Add(_os);
        Add(_variant);
        _authoring = new AuthoringFlags(this);
        SetAction(ImportAsync);
    }

    private async Task<int> ImportAsync(ParseResult command, CancellationToken cancellationToken)
    {
        string path = command.GetRequiredValue(_path);
        Reference? name = command.GetValue(_reference) is { } text ? ImageNameInput.ParseLocal(text) : null;
        ImageChange[] changes = _authoring.ReadChanges(command);
        DateTimeOffset? sourceDate = SourceDate.Read();
        TextWriter error = command.InvocationConfiguration.Error;
        StorageRoot root = Global.OpenStore();
        ImageStore images = new(root);
        Platform host = Platform.Host;
        string architecture = command.GetValue(_architecture) ?? host.Architecture;
        using NewImage image = NewImage.Empty(
            root, new Platform(command.GetValue(_os) ?? host.Os, architecture, command.GetValue(_variant)));
        (Stream content, DateTimeOffset time) = await OpenAsync(path, error, cancellationToken);
        Digest diffId;
        await using (content)
        {
            diffId = image.AddLayer(output =>
            {
                if (ArchiveInput.Copy(content, output, cancellationToken) == 0)
                {
                    throw new OciException($"cannot import '{Printable.Shorten(path)}': it is empty");
                }
            });
        }

        DateTimeOffset created = sourceDate ?? time;
        JsonObject config = new()
        {
            ["created"] = GoTime.Rfc3339(created),
            ["config"] = new JsonObject(),
            ["history"] = new JsonArray(AuthoringFlags.Step(
                created, $"/bin/sh -c #(nop) ADD file:{diffId.Hex} in /", author: null, _authoring.ReadMessage(command) ?? "imported from tarball")),
        };
        AuthoringFlags.Apply(config, changes, keepsTriggers: false, error);
        image.Complete(config);
        Digest id = await _authoring.StoreAsync(command, images, image, name, cancellationToken);
        await command.InvocationConfiguration.Output.WriteLineAsync(id.ToString());
        return ExitCode.Success;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "the caller disposes the stream")]
    private static async Task<(Stream Content, DateTimeOffset Time)> OpenAsync(string path, TextWriter error, CancellationToken cancellationToken)
    {
        if (path == "-")
        {
            return Console.IsInputRedirected
                ? (Console.OpenStandardInput(), TimeProvider.System.GetUtcNow())
                : throw new UsageException("cannot read from terminal. Use command-line redirection");
        }

        if (path.StartsWith("http://", StringComparison.Ordinal) || path.StartsWith("https://", StringComparison.Ordinal))
        {
            return (await DownloadAsync(path, error, cancellationToken), TimeProvider.System.GetUtcNow());
        }

        try
        {
            FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return (file, new DateTimeOffset(File.GetLastWriteTimeUtc(path)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string cause = e is FileNotFoundException or DirectoryNotFoundException ? "no such file or directory"
                : Directory.Exists(path) ? "is a directory"
                : e is UnauthorizedAccessException ? "permission denied"
                : Printable.Shorten(e.Message);
            throw new OciException($"error opening \"{Printable.Shorten(path)}\": open {Printable.Shorten(path)}: {cause}", e);
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "client and answer live as long as the stream, and that as long as the process")]
    private static async Task<Stream> DownloadAsync(string url, TextWriter error, CancellationToken cancellationToken)
    {
        if (new RegistryOptions().IsOffline)
        {
            throw new OciException($"downloading {Printable.Shorten(url)}: OCI_OFFLINE forbids connections");
        }

        await error.WriteAsync($"Downloading from \"{Printable.Shorten(url)}\"\n");
        HttpClient client = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(30) }) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            HttpResponseMessage response = await client.GetAsync(new Uri(url), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode
                ? await response.Content.ReadAsStreamAsync(cancellationToken)
                : throw new OciException($"downloading {Printable.Shorten(url)}: status {(int)response.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or UriFormatException)
        {
            throw new OciException($"downloading {Printable.Shorten(url)}: {Printable.Shorten(e.Message)}", e);
        }
    }
}
