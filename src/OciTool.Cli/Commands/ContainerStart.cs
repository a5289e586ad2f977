using System.Text;
using System.Text.Json;
using OciTool.Cli.Compatibility;
using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Linux;
using OciTool.Runtime;
using OciTool.Runtime.Processes;
using OciTool.Runtime.Spec;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>Makes a container, runs it to its end and tidies up: the run path.</summary>
/// <remarks>Nothing here may cost start-up time that the verb does not need: see docs/architecture.md, "oci run".</remarks>
/// <param name="global">The options of every verb.</param>
/// <param name="error">Where warnings go.</param>
internal sealed class ContainerStart(GlobalOptions global, TextWriter error)
{
    /// <summary>The first kernel with mount_setattr(2), without which no mount of ours can be made read-only or private.</summary>
    private static readonly Version OldestKernel = new(5, 12);

    /// <summary>What the user asked of the container.</summary>
    public required RunOptions Options { get; init; }

    /// <summary>Its name; null for a made-up one.</summary>
    public string? Name { get; init; }

    /// <summary>The file to write its ID to.</summary>
    public string? CidFile { get; init; }

    /// <summary>Its labels, beside the image's.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Whether it is removed when it ends.</summary>
    public bool Remove { get; init; }

    /// <summary>Whether signals go to the container.</summary>
    public bool SignalProxy { get; init; }

    /// <summary>Runs the container.</summary>
    /// <param name="request">The image.</param>
    /// <param name="pull">Makes the pull; called only when there is one.</param>
    /// <returns>The status to exit with.</returns>
    /// <exception cref="OciException">It could not be started; the message says which step failed on what.</exception>
    public int Run(ImageRequest request, Func<ImagePull> pull)
    {
        StorageRoot root = global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        RequireNewCidFile();

        // its start-up goes on while the image is looked up; a pull takes so long that it would only be in the way
        MainProcess? process = MainProcess.Start(Options.Interactive, Options.Terminal);
        try
        {
            StoredImage image = request.Obtain(images, () =>
            {
                process?.Dispose();
                process = null;
                return pull();
            });
            process ??= MainProcess.Start(Options.Interactive, Options.Terminal);
            WarnOfForeign(image.Config.Platform);
            return Run(process, root, images, containers, image);
        }
        finally
        {
            process?.Dispose();
        }
    }

    /// <summary>Makes the container and leaves it to be started later.</summary>
    /// <param name="request">The image.</param>
    /// <param name="pull">Makes the pull; called only when there is one.</param>
    /// <returns>The container's ID.</returns>
    /// <exception cref="OciException">It could not be made; the message says which step failed on what.</exception>
    public string Create(ImageRequest request, Func<ImagePull> pull)
    {
        ContainerTree.RequireRoot("create a container");
        StorageRoot root = global.OpenStore();
        ImageStore images = new(root);
        ContainerStore containers = new(root, images);
        RequireNewCidFile();
        StoredImage image = request.Obtain(images, pull);
        WarnOfForeign(image.Config.Platform);
        ContainerRecord container = Record(image);
        FileLock held = containers.CreateHeld(container);
        bool made = false;
        try
        {
            string directory = containers.DirectoryOf(container.Id);
            using RootDirectory rootfs = CreateRootfs(new OverlaySnapshotter(images, containers).Prepare(container.Id, image.Config));
            RuntimeSpec spec = Generate(container, image, rootfs, directory).Spec;
            File.WriteAllBytes(Path.Join(directory, "config.json"), RuntimeJson.ToBytes(spec, RuntimeJson.Write));
            containers.Update(container with { Command = spec.Process!.Args! });
            WriteCidFile(container.Id);
            made = true;
        }
        finally
        {
            held.Dispose();
            if (!made)
            {
                containers.Remove(container);
            }
        }

        return container.Id;
    }

    private void RequireNewCidFile()
    {
        if (CidFile is not null && File.Exists(CidFile))
        {
            throw new OciException(
                $"container id file exists. Ensure another container is not using it or delete {CidFile}");
        }
    }

    private GeneratedSpec Generate(ContainerRecord container, StoredImage image, RootDirectory rootfs, string directory)
    {
        GeneratedSpec generated = SpecGenerator.Generate(container.Id, container.Name, image.Config, Options, rootfs, directory);
        foreach (string warning in generated.Warnings)
        {
            error.Write($"Warning: {warning}\n");
        }

        return generated;
    }

    private int Run(
        MainProcess process, StorageRoot root, ImageStore images, ContainerStore containers, StoredImage image)
    {
        OverlaySnapshotter snapshotter = new(images, containers);
        ContainerRecord container = Record(image);
        using FileLock held = containers.CreateHeld(container);
        bool keep = !Remove;
        try
        {
            WriteCidFile(container.Id);
            return Launch(process, root, images, containers, snapshotter, image, container);
        }
        catch (OciException e) when (keep)
        {
            containers.Update(container with { State = ContainerState.Created, ExitCode = e.ExitCode, Error = e.Message });
            throw;
        }
        finally
        {
            if (!keep)
            {
                held.Dispose();
                containers.Remove(container);
            }
        }
    }

    private int Launch(
        MainProcess process,
        StorageRoot root,
        ImageStore images,
        ContainerStore containers,
        OverlaySnapshotter snapshotter,
        StoredImage image,
        ContainerRecord container)
    {
        string directory = containers.DirectoryOf(container.Id);
        using RootDirectory rootfs = CreateRootfs(snapshotter.Prepare(container.Id, image.Config));
        GeneratedSpec generated = Generate(container, image, rootfs, directory);
        RuntimeSpec spec = generated.Spec;
        container = container with { Command = spec.Process!.Args! };
        if (!Remove)
        {
            File.WriteAllBytes(Path.Join(directory, "config.json"), RuntimeJson.ToBytes(spec, RuntimeJson.Write));
        }

        try
        {
            return new ContainerRun(containers, error)
            {
                Spec = spec,
                Rootfs = rootfs,
                Seccomp = generated.Seccomp,
                SeccompCache = Path.Join(root.Path, "seccomp"),
                Init = Options.Init,
                SignalProxy = SignalProxy,
            }.Run(process, container);
        }
        catch (ContainerStartException e)
        {
            throw StartHint.Explain(e, root, images, image, spec.Process); // only now: a run that works looks at nothing
        }
    }

    /// <summary>One line for an image of another architecture that nothing emulates; nothing is read for one of this machine.</summary>
    private void WarnOfForeign(Platform platform)
    {
        string architecture = Platform.Normalize(platform).Architecture;
        if (architecture != Platform.Host.Architecture && !ForeignPrograms.MayRun(architecture))
        {
            error.Write($"Warning: the image is for {Printable.Shorten(platform.ToString(), 60)}, this machine is {Platform.Host.Os}/{Platform.Host.Architecture}, and nothing emulates that\n");
        }
    }

    /// <summary>Mounts a container's root where nobody else sees it.</summary>
    internal static RootDirectory CreateRootfs(Mount mount)
    {
        try
        {
            return DetachedMount.Create(mount);
        }
        catch (ErrnoException e) when (Environment.OSVersion.Version < OldestKernel)
        {
            throw new OciException($"containers need Linux {OldestKernel} or newer, and this machine has {Environment.OSVersion.Version.ToString(2)}: {e.Message}", e)
            {
                Hint = "boot a newer kernel, such as one of the distribution's backports; pull, load, save and compat do without",
            };
        }
        catch (ErrnoException e)
        {
            bool hasImages = mount.Options.Any(option => option.StartsWith(Mount.LowerImage, StringComparison.Ordinal));
            throw new OciException($"cannot mount the image's layers: {e.Message}", e)
            {
                Hint = hasImages ? "some are EROFS files: where the kernel does not mount those, pull the image again with --snapshotter directory" : null,
            };
        }
    }

    private ContainerRecord Record(StoredImage image)
    {
        string id = ContainerStore.NewId();
        Dictionary<string, string>? labels = null;
        foreach (IReadOnlyDictionary<string, string>? source in (ReadOnlySpan<IReadOnlyDictionary<string, string>?>)[image.Config.Config?.Labels, Labels])
        {
            foreach ((string key, string value) in source ?? new Dictionary<string, string>())
            {
                (labels ??= [])[key] = value;
            }
        }

        return new ContainerRecord(
            id,
            Name ?? ContainerNames.Make(id),
            image.Id,
            image.Name ?? image.Id.Hex,
            image.ManifestDocument.Digest,
            Options.Command,
            TimeProvider.System.GetUtcNow())
        {
            AutoRemove = Remove,
            OpenStdin = Options.Interactive,
            Privileged = Options.Privileged,
            NetworkMode = Options.Network == NetworkMode.Host ? "host" : "none",
            CidFile = CidFile,
            CreateCommand = Environment.GetCommandLineArgs(),
            Labels = labels,
            SeccompProfile = Options.SeccompProfile,
            Init = Options.Init,
        };
    }

    private void WriteCidFile(string id)
    {
        if (CidFile is not null)
        {
            using FileStream file = new(CidFile, FileMode.CreateNew, FileAccess.Write);
            file.Write(Encoding.ASCII.GetBytes(id));
        }
    }
}
