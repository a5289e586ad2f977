using OciTool.SystemTests.Fixtures;
using Xunit;

namespace OciTool.SystemTests;

/// <summary>Pulling what is there already.</summary>
public sealed class NoOpPullTests(Machine machine) : OciTest(machine)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Fault(45, "at most three requests and no blob")]
    public async Task The_second_pull_asks_at_most_three_times_and_for_no_blob(bool isMultiArchitecture)
    {
        string repository = await RepositoryAsync(isMultiArchitecture);
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());
        string image = $"{proxy.Host}/{repository}:latest";
        ProgramResult first = await Oci.RunAsync("pull", "-q", image);
        Assert.NotEmpty(proxy.BlobDownloads);
        proxy.Forget();

        ProgramResult second = await Oci.RunAsync("pull", "-q", image);

        Assert.Equal(first.Succeeded().Output, second.Succeeded().Output);
        Assert.Empty(proxy.BlobDownloads);
        Assert.True(proxy.Requests.Length <= 3, string.Join('\n', proxy.Requests));
    }

    [Fact]
    public async Task A_layer_that_another_image_brought_is_not_downloaded_again()
    {
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());
        await Machine.PlainAsync();
        TestImage larger = Machine.Images.With(new Layer().File("more", "more\n"));
        await Machine.PublishAsync("busybox-more", larger);
        await Oci.PullAsync($"{proxy.Host}/busybox:latest");
        proxy.Forget();

        await Oci.PullAsync($"{proxy.Host}/busybox-more:latest");

        string shared = Machine.Images.Plain.Layer().Digest;
        Assert.DoesNotContain(proxy.BlobDownloads, request => request.EndsWith(shared, StringComparison.Ordinal));
        Assert.Contains(
            proxy.BlobDownloads, request => request.EndsWith(larger.Layer(1).Digest, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_of_an_image_that_is_there_asks_no_registry()
    {
        await using RecordingProxy proxy = await RecordingProxy.StartAsync(await Machine.HostAsync());
        await Machine.PlainAsync();
        string image = await Oci.PullAsync($"{proxy.Host}/busybox:latest");
        proxy.Forget();

        (await Oci.RunAsync("run", "--rm", image, "true")).Succeeded();

        Assert.Empty(proxy.Requests);
    }

    private async Task<string> RepositoryAsync(bool isMultiArchitecture)
    {
        string image = isMultiArchitecture
            ? await Machine.PublishAsync("busybox-two", Machine.Images.TwoArchitecturesAsync)
            : await Machine.PlainAsync();
        return image[(image.IndexOf('/', StringComparison.Ordinal) + 1)..image.LastIndexOf(':')];
    }
}
