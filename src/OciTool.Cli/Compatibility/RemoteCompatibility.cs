using System.CommandLine;
using OciTool.Cli.Commands;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Registry;
using OciTool.Storage;
using HostFacts = OciTool.Images.Compatibility.HostFacts;

namespace OciTool.Cli.Compatibility;

/// <summary>Looks at images of registries, with as few requests as the answer needs.</summary>
internal static class RemoteCompatibility
{
    /// <summary>Finds out about an image.</summary>
    /// <param name="name">What the user typed.</param>
    /// <param name="images">The store, which may have some of its layers.</param>
    /// <param name="platform">The platform to look at.</param>
    /// <param name="host">Where it is to run.</param>
    /// <param name="global">The options of every verb.</param>
    /// <param name="command">The command line.</param>
    /// <param name="flags">How to talk to registries.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OciException">The registry does not hand it out, or it is no image.</exception>
    public static async Task<(ImageFacts Facts, Digest Digest)> ReadAsync(
        string name, ImageStore images, Platform platform, HostFacts host, GlobalOptions global, ParseResult command, RegistryFlags flags, CancellationToken cancellationToken)
    {
        using RegistrySession session = new(global, flags.Read(command) with { IsSequential = true }, command.InvocationConfiguration.Error);
        await using RegistryImageSource source = RegistryImageSource.Create(session.Resolve(name), session.Context);
        Document document = await source.ResolveAsync(cancellationToken);
        for (bool nested = false; MediaTypes.IsIndex(document.MediaType); nested = true)
        {
            document = await source.ReadDocumentAsync(ImageCopier.Choose(document, platform, nested), cancellationToken);
        }

        Manifest manifest = Manifest.Parse(document);
        ImageConfig config = ImageConfig.Parse(await ImageCopier.ReadConfigAsync(source, manifest.Config, cancellationToken), manifest);
        using RemoteLayers layers = new(source, images, manifest, config, cancellationToken);
        using LayeredTree tree = new(layers.All, config.Config);
        ImageFacts facts = ImageReading.Read(config, manifest.Layers.Count == 0 ? null : tree, host);
        if (layers.Damage is { } damage)
        {
            // what was found in it before that showed is worth nothing
            facts = new ImageFacts { Config = config, Command = facts.Command, Unread = damage, UnreadRelease = damage, UnreadTree = damage };
        }

        return (facts with { Manifest = manifest, Read = layers.Read }, document.Digest);
    }
}
