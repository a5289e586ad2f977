using System.Globalization;
using OciTool.Linux;
using Xunit;

namespace OciTool.Tests.Linux;

/// <summary>Waiting for a lock: told after a moment, ended when the patience is over.</summary>
public sealed class LockWaitTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("oci-test-");

    private string LockFile => Path.Join(_directory.FullName, "lock");

    [Fact]
    public void The_holder_of_a_lock_is_known_and_nobody_holds_a_free_one()
    {
        using (FileLock.Acquire(LockFile))
        {
            Assert.Equal(Environment.ProcessId, LockHolders.Find(LockFile));
        }

        Assert.Null(LockHolders.Find(LockFile));
        Assert.Null(LockHolders.Find(Path.Join(_directory.FullName, "absent")));
    }

    [Theory]
    [InlineData("1: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF", 4711)]
    [InlineData("1: FLOCK  ADVISORY  READ 4711 00:2f:131 0 EOF", 4711)] // a device number of a subvolume
    [InlineData("1: -> FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF", null)]
    [InlineData("1: POSIX  ADVISORY  WRITE 4711 fe:00:131 0 EOF", null)]
    [InlineData("1: FLOCK  ADVISORY  WRITE 4711 fe:00:1310 0 EOF", null)]
    [InlineData("1: FLOCK  ADVISORY  WRITE 4711", null)]
    [InlineData("", null)]
    public void The_lines_of_the_kernel_are_read(string line, int? holder) =>
        Assert.Equal(holder, LockHolders.Find([line], new FileIdentity(0xfe, 0, 131)));

    [Fact]
    public void Patience_that_is_over_ends_the_wait_and_names_the_holder()
    {
        using FileLock held = FileLock.Acquire(LockFile);

        LockTimeoutException failure = Assert.Throws<LockTimeoutException>(() => FileLock.Acquire(
            LockFile, patience: new LockPatience(TimeSpan.FromMilliseconds(50), _ => Assert.Fail("too short to tell"))));

        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"'{LockFile}', held by pid {Environment.ProcessId}"), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wait_that_was_given_up_does_not_keep_the_lock_later()
    {
        FileLock held = FileLock.Acquire(LockFile);
        Assert.Throws<LockTimeoutException>(() => FileLock.Acquire(LockFile, patience: new LockPatience(TimeSpan.Zero, _ => { })));

        held.Dispose();

        FileLock.Acquire(LockFile).Dispose(); // waits for the one that came before, and that one lets go
    }

    [Fact]
    public async Task A_lock_that_is_given_back_in_time_is_taken()
    {
        FileLock held = FileLock.Acquire(LockFile);
        Task<FileLock> waiting = Task.Run(
            () => FileLock.Acquire(LockFile, patience: new LockPatience(TimeSpan.FromMinutes(2), _ => { })), TestContext.Current.CancellationToken);

        held.Dispose();

        (await waiting).Dispose();
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
