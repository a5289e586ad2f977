using OciTool.Linux;
using Xunit;

namespace OciTool.Tests.Linux;

public sealed class RootDirectoryTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("oci-root-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>Any rename of the machine makes the kernel give up a look-up that goes through "..".</summary>
    [Fact]
    public async Task A_look_up_through_the_parent_succeeds_while_others_rename()
    {
        string tree = Path.Join(_home, "root");
        Directory.CreateDirectory(Path.Join(tree, "inside"));
        File.CreateSymbolicLink(Path.Join(tree, "w"), string.Concat(Enumerable.Repeat("inside/../", 400)) + "inside");
        string first = Path.Join(_home, "first");
        string second = Path.Join(_home, "second");
        Directory.CreateDirectory(first);
        using RootDirectory root = new(tree);
        using CancellationTokenSource stop = new();
        Task renaming = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    Directory.Move(first, second);
                    Directory.Move(second, first);
                }
            },
            TestContext.Current.CancellationToken);

        for (int i = 0; i < 1_000; i++)
        {
            Assert.Equal(InRootKind.Directory, root.KindOf("/w"));
        }

        await stop.CancelAsync();
        await renaming;
    }
}
