using System.Text.Json;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Check;

/// <summary>Checks the containers: their records and names, their writable layers, and the images that they were made of.</summary>
internal sealed class ContainerCheck(CheckContext context)
{
    private readonly List<Damage> _found = [];

    /// <summary>Looks at all containers, under their lock.</summary>
    internal List<Damage> Look()
    {
        StorageRoot root = context.Root;
        if (!Directory.Exists(root.Containers))
        {
            return _found;
        }

        using FileLock? held = root.IsReadOnly ? null : root.Lock(root.ContainersLockFile);
        foreach (string directory in Directory.EnumerateDirectories(root.Containers))
        {
            if (!context.Containers.IsRemains(directory))
            {
                Look(directory, Path.GetFileName(directory));
            }
        }

        return _found;
    }

    private void Look(string directory, string id)
    {
        ContainerRecord? container;
        try
        {
            container = StorageJson.Read(Path.Join(directory, "container.json"), StorageJson.Default.ContainerRecord);
        }
        catch (OciException e)
        {
            Lost(id, e.Message);
            return;
        }

        if (container is null)
        {
            Lost(id, "container.json is missing");
            return;
        }

        if (container.Id != id)
        {
            Lost(id, $"container.json is of container {Printable.Shorten(container.Id)}");
            return;
        }

        if (context.Containers.IdOfName(container.Name) != id)
        {
            StoreFinding finding = new("container name missing", id, $"nothing leads from {Printable.Shorten(container.Name)} to it");
            _found.Add(new Damage(finding) { Order = RepairOrder.Containers, Mend = found => Rename(found, container) });
        }

        if (container.State != ContainerState.Created && !Directory.Exists(Path.Join(directory, "upper")))
        {
            Lost(id, "data missing: its writable layer is not there");
        }

        string spec = Path.Join(directory, "config.json");
        if (File.Exists(spec) && !IsJson(spec))
        {
            Lost(id, "config.json is not JSON");
        }

        if (context.Images.Walk.LayersOf(container.ImageDigest) is not { Count: > 0 } layers)
        {
            // an image may have no layers at all
            if (!File.Exists(context.Images.Content.Locate(container.ImageDigest)))
            {
                Lost(id, $"image missing: {Printable.Shorten(container.ImageName)} ({container.ImageDigest})", container.ImageName);
            }
        }
        else if (layers.FirstOrDefault(diffId => !context.Images.Layers.Contains(diffId)) is { } missing && missing != default)
        {
            Lost(id, $"image incomplete: layer {missing} of {Printable.Shorten(container.ImageName)} is missing", container.ImageName);
        }
    }

    private static bool IsJson(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void Lost(string id, string what, string? image = null) =>
        _found.Add(new Damage(new StoreFinding("container damaged", id, what))
        {
            Order = RepairOrder.Containers,
            Mend = finding => Remove(finding, id, image),
        });

    private StoreFinding Rename(StoreFinding finding, ContainerRecord container)
    {
        using FileLock held = context.Root.Lock(context.Root.ContainersLockFile);
        if (context.Containers.IdOfName(container.Name) is { } other && other != container.Id)
        {
            return Damage.Left(finding, $"container {other} has the name: remove one of them");
        }

        context.Containers.WriteName(container);
        return Damage.Mended(finding, "written again");
    }

    private StoreFinding Remove(StoreFinding finding, string id, string? image)
    {
        if (image is not null && context.Containers.ListReadable().FirstOrDefault(known => known.Id == id) is { } container
            && context.Images.Walk.LayersOf(container.ImageDigest) is { Count: > 0 } layers && layers.All(context.Images.Layers.Contains))
        {
            return Damage.Mended(finding, "its image was repaired");
        }

        if (!context.Options.Force)
        {
            string pull = image is null ? "" : $"pull {Printable.Shorten(image)} again, or ";
            return Damage.Left(finding, $"{pull}add --force to remove the container with what it wrote");
        }

        string directory = context.Containers.DirectoryOf(id);
        using TemporaryDirectory trash = new(context.Root);
        using FileLock held = context.Root.Lock(context.Root.ContainersLockFile);
        if (FileLock.IsHeld(Path.Join(directory, "lock")))
        {
            return Damage.Left(finding, "it runs: stop it first");
        }

        if (Directory.Exists(directory))
        {
            Directory.Move(directory, Path.Join(trash.Path, "container"));
        }

        return Damage.Mended(finding, "container removed");
    }
}
