using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

/// <summary>What killed processes leave goes with the next writer; what living ones have, and what a pull goes on with, stays.</summary>
public sealed class SweepTests : IDisposable
{
    private readonly TestStore _store = new();

    [Fact]
    public async Task Files_of_the_dead_are_swept_and_those_of_the_living_are_not()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        foreach (string dead in (string[])["tmp/dead.lock", "tmp/dead", "leases/dead.lock", "leases/dead", "locks/sha256-dead", "ingest/sha256-dead"])
        {
            await File.WriteAllTextAsync(Path.Join(_store.Path, dead), "", TestContext.Current.CancellationToken);
        }

        using FileLock alive = FileLock.Acquire(Path.Join(_store.Path, "tmp/alive.lock"));
        await File.WriteAllTextAsync(Path.Join(_store.Path, "tmp/alive"), "", TestContext.Current.CancellationToken);

        await _store.PullAsync(TestImage.Of("one", "two"), "b");

        Assert.Equal(["alive", "alive.lock"], _store.FilesBelow("tmp"));
        Assert.Empty(_store.FilesBelow("leases"));
        Assert.Empty(_store.FilesBelow("locks"));
        Assert.Equal(["sha256-dead"], _store.FilesBelow("ingest"));
    }

    [Fact]
    public async Task Containers_that_were_never_whole_and_ended_ones_of_rm_are_swept()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        StoredImage image = _store.Find("a")!;
        Directory.CreateDirectory(Path.Join(_store.Path, "containers", new string('0', 64)));
        ContainerRecord kept = Record(image, "kept") with { AutoRemove = false };
        ContainerRecord running = Record(image, "running");
        _store.Containers.Create(kept);
        _store.Containers.Create(Record(image, "ended"));
        using FileLock held = _store.Containers.CreateHeld(running);

        _store.Containers.SettleKilled();

        Assert.Equal([kept.Id, running.Id], _store.Containers.List().Select(container => container.Id).OrderBy(id => id == running.Id));
        Assert.Equal(2, Directory.GetDirectories(Path.Join(_store.Path, "containers")).Length);
        Assert.Equal(["kept", "running"], _store.FilesBelow("names"));
    }

    [Fact]
    public async Task A_container_whose_record_a_power_loss_emptied_is_left_for_people_to_look_at()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        ContainerRecord container = Record(_store.Find("a")!, "c");
        _store.Containers.Create(container);
        string record = Path.Join(_store.Containers.DirectoryOf(container.Id), "container.json");
        await File.WriteAllTextAsync(record, "", TestContext.Current.CancellationToken);

        _store.Containers.SettleKilled();

        Assert.True(File.Exists(record));
    }

    public void Dispose() => _store.Dispose();

    private static ContainerRecord Record(StoredImage image, string name) => new(
        ContainerStore.NewId(), name, image.Id, "a", image.ManifestDocument.Digest, ["true"], DateTimeOffset.UnixEpoch)
    { AutoRemove = true };
}
