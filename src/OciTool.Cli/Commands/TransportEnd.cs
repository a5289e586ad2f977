using OciTool.Images;
using OciTool.Registry;
using OciTool.Registry.Configuration;
using OciTool.Storage.Transports;

namespace OciTool.Cli.Commands;

/// <summary>Reads and writes images outside of our store and of registries, be it in files or in the hands of another engine.</summary>
internal static class TransportEnd
{
    /// <summary>Opens what a transport names, if the signature policy lets it in.</summary>
    /// <param name="name">What was typed.</param>
    /// <param name="policyFile">The policy that the command line names; null for the one that holds here.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">It is refused, not there, damaged or hostile.</exception>
    public static async Task<TransportImages> OpenAsync(TransportName name, string? policyFile, CancellationToken cancellationToken)
    {
        if (name.Kind == TransportKind.ContainersStorage)
        {
            StorageConf conf = StorageConf.Read(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess);
            ContainersStoragePlace place = new(conf.GraphRoot, conf.Driver, conf.Additional);
            TransportPolicy.Require(policyFile, TransportScopes.OfStorage(name.Path, place));
            return TransportImages.OpenStorage(name, place, Console.Error.WriteLine);
        }

        TransportPolicy.Require(policyFile, TransportScopes.Of(name.Kind, name.Path));
        if (name.Kind != TransportKind.DockerDaemon)
        {
            return TransportImages.Open(name);
        }

        using DockerDaemon daemon = DockerDaemon.Open(new RegistryOptions());
        string image = IsId(name) ? name.Path : Reference.Parse(name.Path).Canonical; // of a repository alone the daemon would give all tags
        return TransportImages.Recognize(await daemon.SaveAsync(image, cancellationToken), name.ToString());
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

    private static bool IsId(TransportName name) => Digest.TryParse(name.Path, provider: null, out _);

    private static string NameInDaemon(TransportName target)
    {
        Reference? name = IsId(target) ? null : Reference.Parse(target.Path);
        return name?.Tag is not null ? name.Canonical : throw new OciException($"{target}: an image gets its name in the daemon by a tag")
        {
            Hint = "write docker-daemon:NAME:TAG",
        };
    }
}
