using Microsoft.Extensions.Logging;
using OciTool.Cli.Output.Progress;
using OciTool.Images;
using OciTool.Images.Verification;
using OciTool.Registry;
using OciTool.Registry.Configuration;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>Copies an image from a registry to the store.</summary>
/// <param name="global">The options of every verb.</param>
/// <param name="registry">How to talk to the registry.</param>
/// <param name="progressMode">How to show what passes: <c>auto</c>, <c>plain</c>, <c>json</c> or <c>none</c>.</param>
/// <param name="error">Where it is shown.</param>
/// <param name="policyFile">The signature policy; null for the one that holds here.</param>
internal sealed class ImagePull(GlobalOptions global, RegistryOptions registry, string progressMode, TextWriter error, string? policyFile)
{
    private RegistriesConf? _registries;

    /// <summary>Pulls the image that a name stands for, which may lack its registry.</summary>
    /// <param name="name">What the user typed.</param>
    /// <param name="platform">The platform to choose where there are several.</param>
    /// <param name="images">The store.</param>
    /// <param name="cancellationToken">Gives up; what is whole stays.</param>
    /// <exception cref="OciException">The image cannot be had.</exception>
    public async Task<PulledImage> RunAsync(string name, PlatformChoice platform, ImageStore images, CancellationToken cancellationToken)
    {
        ResolvedName resolved = ShortNames.Resolve(name, Registries(), ImageChoice.IsPossible
            ? candidates => ImageChoice.Ask(candidates, error, cancellationToken)
            : null);
        List<(string Endpoint, OciException Failure)> failures = [];
        foreach (Reference candidate in resolved.Candidates)
        {
            try
            {
                CopiedImage copied = await RunAsync(candidate, platform, images, cancellationToken);
                resolved.Remember(registry);
                return new PulledImage(candidate, copied);
            }
            catch (OciException e) when (resolved.Candidates.Count > 1)
            {
                failures.Add((candidate.ToString(), e));
            }
        }

        throw new EndpointsException(name, failures);
    }

    private RegistriesConf Registries()
    {
        if (_registries is null)
        {
            using CopyProgress progress = CopyProgress.Create(
                progressMode, error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
            _registries = RegistriesConf.Read(registry, progress.Warn);
        }

        return _registries;
    }

    /// <summary>Pulls an image.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="platform">The platform to choose where there are several.</param>
    /// <param name="images">The store.</param>
    /// <param name="cancellationToken">Gives up; what is whole stays.</param>
    /// <exception cref="OciException">The image cannot be had.</exception>
    private async Task<CopiedImage> RunAsync(
        Reference reference, PlatformChoice platform, ImageStore images, CancellationToken cancellationToken)
    {
        PolicyRule rule = Policy.Load(policyFile, Environment.GetEnvironmentVariable).For(reference);
        using ILoggerFactory loggers = Logs.Create(global.LogLevel);
        using CopyProgress progress = CopyProgress.Create(
            progressMode, error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        progress.Begin(reference.ToString());
        RegistryContext context = new(registry, loggers, TimeProvider.System, progress.Warn) { Registries = Registries() };
        await using RegistryImageSource source = RegistryImageSource.Create(reference, context);
        PolicedImageSource policed = new(source, reference, rule, new RegistrySignatures(reference, context));
        KilledContainers.Settle(new ContainerStore(global.OpenStore(), images));
        using StoreDestination destination = images.OpenDestination(reference); // gives its lease back also when the copy fails
        if (platform.All)
        {
            return platform.Best(await ImageCopier.CopyWholeAsync(policed, destination, progress, cancellationToken));
        }

        CopiedImage copied = await ImageCopier.CopyAsync(
            policed, destination, platform.Platform, progress, cancellationToken, config => platform.Require(reference.ToString(), config));
        if (!platform.Matches(copied.Config))
        {
            progress.Warn(platform.Mismatch(copied.Config));
        }

        return copied;
    }
}

/// <summary>An image that was pulled.</summary>
/// <param name="Reference">Its whole name, under which it is in the store.</param>
/// <param name="Copied">What was copied.</param>
internal sealed record PulledImage(Reference Reference, CopiedImage Copied);
