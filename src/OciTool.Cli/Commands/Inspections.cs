using System.Text.Json;
using OciTool.Cli.Output;
using OciTool.Cli.Views;
using OciTool.Images;
using OciTool.Runtime.Spec;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>Fills the views that <c>inspect</c> prints from what the store knows.</summary>
internal static class Inspections
{
    /// <summary>An image.</summary>
    public static ImageInspection Of(StoredImage image, ImageStore images)
    {
        Storage.ImageSummary summary = image.Summary;
        ImageConfig config = image.Config;
        IReadOnlyList<string> layers = images.LayerDirectories(config); // topmost first
        return new ImageInspection
        {
            Id = image.Id.Hex,
            Digest = image.ManifestDocument.Digest.ToString(),
            RepoTags = [.. summary.Names.Where(name => !name.Contains('@', StringComparison.Ordinal))],
            RepoDigests = [.. summary.RepoDigests],
            Parent = config.Parent ?? "",
            Comment = config.Comment ?? (config.History is [.., { } last] ? last.Comment : null) ?? "",
            Created = summary.Created,
            Config = Of(config.Config ?? new ExecutionConfig()),
            Version = config.DockerVersion ?? "",
            Author = config.Author ?? "",
            Architecture = config.Architecture,
            Os = config.Os,
            Size = summary.Size,
            VirtualSize = summary.Size,
            GraphDriver = new GraphDriver { Data = DirectoriesOf(layers) },
            RootFS = new RootFileSystem { Layers = [.. config.Rootfs.DiffIds.Select(diffId => diffId.ToString())] },
            Labels = Copy(config.Config?.Labels),
            Annotations = Copy(image.Manifest.Annotations) ?? [],
            ManifestType = image.ManifestDocument.MediaType,
            User = config.Config?.User ?? "",
            History = [.. (config.History ?? []).Select(Of)],
            NamesHistory = summary.Names.Count == 0 ? null : [.. summary.Names.Reverse()],
        };
    }

    /// <summary>A container.</summary>
    public static ContainerInspection Of(ContainerRecord container, ContainerStore containers)
    {
        string directory = containers.DirectoryOf(container.Id);
        RuntimeSpec? spec = ReadSpec(directory);
        ProcessSpec? process = spec?.Process;
        return new ContainerInspection
        {
            Id = container.Id,
            Created = container.Created,
            Path = container.Command is [{ } program, ..] ? program : "",
            Args = [.. container.Command.Skip(1)],
            State = new Views.ContainerState
            {
                Status = StateOf(container),
                Running = container.State == Storage.ContainerState.Running,
                Pid = container.Pid,
                ExitCode = container.ExitCode,
                Error = container.Error ?? "",
                StartedAt = container.StartedAt ?? GoTime.Zero,
                FinishedAt = container.FinishedAt ?? GoTime.Zero,
            },
            Image = container.ImageId.Hex,
            ImageDigest = container.ImageDigest.ToString(),
            ImageName = container.ImageName,
            ResolvConfPath = SourceOf(spec, "/etc/resolv.conf"),
            HostnamePath = SourceOf(spec, "/etc/hostname"),
            HostsPath = SourceOf(spec, "/etc/hosts"),
            StaticDir = directory,
            OCIConfigPath = spec is null ? null : Path.Join(directory, "config.json"),
            OCIRuntime = "oci",
            Name = container.Name,
            EffectiveCaps = [.. process?.Capabilities?.Effective ?? []],
            BoundingCaps = [.. process?.Capabilities?.Bounding ?? []],
            GraphDriver = new GraphDriver
            {
                Data = new() { ["UpperDir"] = Path.Join(directory, "upper"), ["WorkDir"] = Path.Join(directory, "work") },
            },
            Mounts = [.. UserMounts(spec, directory)],
            Config = new ContainerConfiguration
            {
                Hostname = spec?.Hostname ?? "",
                User = process is null ? "" : UserOf(process.User),
                Tty = process?.Terminal ?? false,
                OpenStdin = container.OpenStdin,
                Env = [.. process?.Env ?? []],
                Cmd = [.. container.Command],
                Image = container.ImageName,
                WorkingDir = process?.Cwd ?? "",
                Labels = Copy(container.Labels),
                Annotations = Copy(spec?.Annotations),
                CreateCommand = container.CreateCommand?.ToArray(),
            },
            HostConfig = new HostConfiguration
            {
                AutoRemove = container.AutoRemove,
                ContainerIDFile = container.CidFile ?? "",
                NetworkMode = container.NetworkMode ?? "host",
                Privileged = container.Privileged,
                ReadonlyRootfs = spec?.Root?.Readonly ?? false,
                PidsLimit = spec?.Linux?.Resources?.Pids?.Limit ?? 0,
            },
        };
    }

    /// <summary>A container's state as podman calls it.</summary>
    public static string StateOf(ContainerRecord container) => container.State switch
    {
        Storage.ContainerState.Created => "created",
        Storage.ContainerState.Running => "running",
        _ => "exited",
    };

    private static RuntimeSpec? ReadSpec(string directory)
    {
        string path = Path.Join(directory, "config.json");
        return File.Exists(path)
            ? RuntimeSpecReader.ReadConfig(File.ReadAllBytes(path))
            : null;
    }

    private static string UserOf(UserSpec user) => user is { Uid: 0, Gid: 0 } ? "" : $"{user.Uid}:{user.Gid}";

    private static string SourceOf(RuntimeSpec? spec, string destination) =>
        spec?.Mounts?.FirstOrDefault(mount => mount.Destination == destination)?.Source ?? "";

    // what the user mounted: not the file systems that every container has, not the files that we made for it
    private static IEnumerable<ContainerMount> UserMounts(RuntimeSpec? spec, string directory) =>
        (spec?.Mounts ?? [])
            .Where(mount => mount.Type == "bind" && mount.Source is { } source && !source.StartsWith(directory, StringComparison.Ordinal))
            .Select(mount => new ContainerMount
            {
                Type = "bind",
                Source = mount.Source!,
                Destination = mount.Destination,
                Options = [.. (mount.Options ?? []).Where(option => option is not ("ro" or "rw" or "rprivate" or "private"))],
                RW = !(mount.Options ?? []).Contains("ro"),
                Propagation = "rprivate",
            });

    private static Dictionary<string, string> DirectoriesOf(IReadOnlyList<string> layers)
    {
        Dictionary<string, string> directories = [];
        if (layers.Count > 1)
        {
            directories["LowerDir"] = string.Join(':', layers.Skip(1));
        }

        if (layers.Count > 0)
        {
            directories["UpperDir"] = layers[0];
        }

        return directories;
    }

    private static ImageConfiguration Of(ExecutionConfig config) => new()
    {
        User = config.User is "" ? null : config.User,
        ExposedPorts = Set(config.ExposedPorts),
        Env = config.Env?.ToArray(),
        Entrypoint = config.Entrypoint?.ToArray(),
        Cmd = config.Cmd?.ToArray(),
        Volumes = Set(config.Volumes),
        WorkingDir = config.WorkingDir is "" ? null : config.WorkingDir,
        Labels = Copy(config.Labels),
        StopSignal = config.StopSignal is "" ? null : config.StopSignal,
    };

    private static Views.HistoryEntry Of(Images.HistoryEntry entry) => new()
    {
        Created = DateTimeOffset.TryParse(entry.Created, out DateTimeOffset created) ? created : null,
        CreatedBy = entry.CreatedBy,
        Author = entry.Author,
        Comment = entry.Comment,
        EmptyLayer = entry.EmptyLayer ?? false,
    };

    private static Dictionary<string, Views.EmptyObject>? Set(IReadOnlyDictionary<string, Images.EmptyObject?>? set) =>
        set?.ToDictionary(entry => entry.Key, _ => new Views.EmptyObject());

    private static Dictionary<string, string>? Copy(IReadOnlyDictionary<string, string>? map) =>
        map is null ? null : new Dictionary<string, string>(map);
}
