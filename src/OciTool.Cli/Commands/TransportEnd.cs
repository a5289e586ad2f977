using OciTool.Images;
using OciTool.Registry;
using OciTool.Registry.Configuration;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary>Reads and writes images outside of our store and of registries, be it in files or in the hands of another engine.</summary>
internal static class TransportEnd
{
    /// <summary>Opens what a transport names.</summary>
    /// <exception cref="OciException">It is not there, damaged or hostile.</exception>
    public static async Task<TransportImages> OpenAsync(TransportName name, CancellationToken cancellationToken)
    {
        if (name.Kind == TransportKind.ContainersStorage)
        {
            StorageConf conf = StorageConf.Read(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess);
            return TransportImages.OpenStorage(name, new ContainersStoragePlace(conf.GraphRoot, conf.Driver, conf.Additional), Console.Error.WriteLine);
        }

        if (name.Kind != TransportKind.DockerDaemon)
        {
            return TransportImages.Open(name);
        }

        using DockerDaemon daemon = DockerDaemon.Open(new RegistryOptions());
        return TransportImages.Recognize(await daemon.SaveAsync(name.Path, cancellationToken), name.ToString());
    }

    /// <summary>Copies an image to what a transport names.</summary>
    /// <param name="source">The image; it stays open until this has ended.</param>
    /// <param name="ownNames">Its names, which it keeps where the target does not name it.</param>
    /// <param name="target">Where to write it.</param>
    /// <param name="progress">Told what passes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The manifest or index that was written.</returns>
    /// <exception cref="OciException">It cannot be written there.</exception>
    public static async Task<Document> CopyAsync(
        IImageSource source, IReadOnlyList<string> ownNames, TransportName target, ICopyProgress progress, CancellationToken cancellationToken)
    {
        TransportWriter writer = new(target);
        writer.RequireWritable();
        Document written = await ImageCopier.CopyAllAsync(source, writer.Open(NamesAt(target, ownNames)), progress, cancellationToken);
        if (target.Kind == TransportKind.DockerDaemon)
        {
            using DockerDaemon daemon = DockerDaemon.Open(new RegistryOptions());
            await daemon.LoadAsync(archive => writer.WriteToAsync(archive, progress, cancellationToken), cancellationToken);
        }
        else
        {
            await writer.FinishAsync(progress, cancellationToken);
        }

        return written;
    }

    // in a layout a name is what was typed; docker has whole names
    private static IReadOnlyList<string> NamesAt(TransportName target, IReadOnlyList<string> ownNames) => target switch
    {
        { Kind: TransportKind.DockerDaemon } => [NameInDaemon(target)],
        { Kind: TransportKind.OciLayout, Image: null } or { Kind: TransportKind.ContainersStorage } => [],
        { Image: null } => ownNames,
        { Kind: TransportKind.DockerArchive } => [Reference.Parse(target.Image).Canonical],
        _ => [target.Image],
    };

    private static string NameInDaemon(TransportName target) =>
        Reference.TryParse(target.Path, out Reference? name, out string? mistake) && name.Tag is not null ? name.Canonical
        : throw new OciException($"{target}: an image gets its name in the daemon by a tag{(mistake is null ? "" : $": {mistake}")}")
        {
            Hint = "write docker-daemon:NAME:TAG",
        };
}
