using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using Xunit;

namespace OciTool.Tests.Storage;

public sealed class ContainerStoreTests : IDisposable
{
    private readonly TestStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_container_is_found_by_name_by_ID_and_by_the_beginning_of_its_ID()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        ContainerRecord made = Make(_store, "c1");

        Assert.Equal(made.Id, _store.Containers.Find("c1")!.Id);
        Assert.Equal(made.Id, _store.Containers.Find(made.Id)!.Id);
        Assert.Equal(made.Id, _store.Containers.Find(made.Id[..12])!.Id);
        Assert.Null(_store.Containers.Find("x1")); // no digits: it could only be a name
        Assert.Null(_store.Containers.Find("../../etc"));
        Assert.Equal("c1", Assert.Single(_store.Containers.List()).Name);
    }

    [Fact]
    public async Task A_name_is_given_once_and_again_when_its_container_is_gone()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        ContainerRecord first = Make(_store, "c1");

        ContainerNameTakenException failure = Assert.Throws<ContainerNameTakenException>(() => Make(_store, "c1"));
        _store.Containers.Remove(first);
        Make(_store, "c1");

        Assert.Contains($"the container name \"c1\" is already in use by {first.Id}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../c1")]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData(".a")]
    public async Task A_name_that_is_no_file_name_is_refused(string name)
    {
        await _store.PullAsync(TestImage.Of("one"), "a");

        Assert.Throws<OciException>(() => Make(_store, name));
    }

    [Fact]
    public async Task A_running_container_is_running_while_its_lock_is_held_and_killed_afterwards()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        ContainerRecord container = Make(_store, "c1");
        using (FileLock? held = _store.Containers.TryHold(container.Id))
        {
            Assert.NotNull(held);
            _store.Containers.Update(container with { State = ContainerState.Running, Pid = 4711 });
            Assert.Equal(4711, _store.Containers.Find("c1")!.Pid);
            Assert.Null(_store.Containers.TryHold(container.Id));
            Assert.Throws<ContainerRunningException>(() => _store.Containers.Remove(container));
        }

        ContainerRecord dead = _store.Containers.Find("c1")!;

        Assert.Equal((ContainerState.Exited, 0, 137), (dead.State, dead.Pid, dead.ExitCode));
        _store.Containers.Remove(dead);
        Assert.Empty(_store.FilesBelow("containers"));
        Assert.Empty(_store.FilesBelow("tmp"));
    }

    [Fact]
    public async Task A_record_comes_back_as_it_was_written()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        ContainerRecord written = Make(_store, "c1") with
        {
            State = ContainerState.Exited,
            ExitCode = 3,
            StartedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            FinishedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero),
            AutoRemove = true,
            Labels = new Dictionary<string, string> { ["a"] = "b" },
        };

        _store.Containers.Update(written);
        ContainerRecord read = _store.Containers.Find("c1")!;

        Assert.Equal(written.Labels, read.Labels);
        Assert.Equal(written.Command, read.Command);
        Assert.Equal(written, read with { Labels = written.Labels, Command = written.Command });
    }

    [Fact]
    public async Task A_container_of_an_image_that_is_gone_is_not_made()
    {
        await _store.PullAsync(TestImage.Of("one"), "a");
        StoredImage image = _store.Find("a")!;
        _store.Remove("a");

        Assert.Throws<OciException>(() => _store.Containers.Create(RecordOf(image, "c1")));
    }

    [Fact]
    public async Task The_tree_of_a_container_is_its_layers_topmost_first_each_once()
    {
        TestImage image = TestImage.Of("one", "two", "one");
        await _store.PullAsync(image, "a");
        ContainerRecord container = Make(_store, "c1");
        OverlaySnapshotter snapshotter = new(_store.Images, _store.Containers);

        Mount mount = snapshotter.Prepare(container.Id, _store.Find("a")!.Config);

        string directory = _store.Containers.DirectoryOf(container.Id);
        Assert.Equal("overlay", mount.Type);
        Assert.Equal(
            [
                $"lowerdir+={_store.LayerPath(image.DiffIds[0])}/fs",
                $"lowerdir+={_store.LayerPath(image.DiffIds[1])}/fs",
                $"upperdir={directory}/upper",
                $"workdir={directory}/work",
            ],
            mount.Options.Where(option => option != "userxattr"));
        Assert.True(Directory.Exists(Path.Join(directory, "upper")));
    }

    [Fact]
    public async Task A_layer_that_hides_its_root_ends_the_stack()
    {
        TestImage image = TestImage.Of("one", "two", "three");
        await _store.PullAsync(image, "a");
        string record = Path.Join(_store.LayerPath(image.DiffIds[1]), "layer.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"opaqueRoot\":false", "\"opaqueRoot\":true", StringComparison.Ordinal));
        ContainerRecord container = Make(_store, "c1");

        Mount mount = new OverlaySnapshotter(_store.Images, _store.Containers).Prepare(container.Id, _store.Find("a")!.Config);

        Assert.Equal(2, mount.Options.Count(option => option.StartsWith("lowerdir+=", StringComparison.Ordinal)));
    }

    internal static ContainerRecord Make(TestStore store, string name, string image = "a")
    {
        ContainerRecord container = RecordOf(store.Find(image)!, name);
        store.Containers.Create(container);
        return container;
    }

    private static ContainerRecord RecordOf(StoredImage image, string name) => new(
        ContainerStore.NewId(), name, image.Id, image.Name!, image.ManifestDocument.Digest, ["true"], new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
}
