using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Storage;
using OciTool.Storage.Layers;
using OciTool.Tests.Layers.Corpus;
using Xunit;

namespace OciTool.Tests.Layers;

/// <summary>Somebody exchanges directories of a layer for symbolic links to the host while it is written.</summary>
/// <remarks>Some layers by default, 300 in CI; <c>OCI_RACE_ROUNDS=10000</c> makes as many.</remarks>
[Trait("Pace", "slow")]
public sealed class LayerRaceTests : IDisposable
{
    // in memory, where renames are fastest; without root not every kernel keeps whiteouts there
    private readonly string _home = Environment.IsPrivilegedProcess && Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory($"/dev/shm/oci-race-{Guid.NewGuid():N}").FullName
        : Directory.CreateTempSubdirectory("oci-race-").FullName;

    private static int Rounds =>
        int.Parse(Environment.GetEnvironmentVariable("OCI_RACE_ROUNDS") is { Length: > 0 } rounds ? rounds : "60", CultureInfo.InvariantCulture);

    private string Canary => Path.Join(_home, "canary");

    private string Tree => Path.Join(_home, "store/fs");

    public void Dispose() => DirectoryTree.Remove(_home);

    [Fact]
    public void Nothing_is_written_outside_of_the_layer()
    {
        byte[] archive = Archive();
        Digest digest = Digest.Of(archive);
        Directory.CreateDirectory(Path.Join(Canary, "b/c"));
        foreach (string victim in new[] { "victim", "b/victim", "b/c/victim", "f0", "h0", "b/f1" })
        {
            File.WriteAllText(Path.Join(Canary, victim), "canary");
        }

        string before = Read();
        long swaps = 0;
        int applied = 0;
        // most are refused, because what they write is gone under them: one that comes through shows that something is written
        for (int round = 0; round < Rounds || (applied == 0 && round < 100 * Rounds); round++)
        {
            MakeStore();
            using Attack attack = new(Path.Join(_home, "store"));
            applied += Apply(archive, digest) ? 1 : 0;
            swaps += attack.End();
            Assert.Equal(before, Read());
        }

        Assert.True(swaps > Rounds && applied > 0, $"{swaps} swaps in {Rounds} rounds, {applied} layers applied");
    }

    private static byte[] Archive()
    {
        TarBuilder tar = new();
        for (int i = 0; i < 8; i++)
        {
            string n = i.ToString(CultureInfo.InvariantCulture);
            tar.Directory("a", 0x1ff).File($"a/f{n}").Directory("a/b", 0x1c0, uid: 7).File($"a/b/f{n}").Link($"a/b/c/h{n}", $"a/b/f{n}")
                .Symlink($"a/b/c/s{n}", "victim").Whiteout($"a/b/c/.wh.victim").Whiteout("a/b/.wh..wh..opq").Add($"a/p{n}", '6')
                .File("t").Directory("t", 0x1ff).File($"t/f{n}").Symlink("t", "a/b").File($"t/g{n}").File("a/victim").File("a/b/victim");
        }

        return tar.ToArray();
    }

    private void MakeStore()
    {
        if (Directory.Exists(Path.Join(_home, "store")))
        {
            DirectoryTree.Remove(Path.Join(_home, "store"));
        }

        Directory.CreateDirectory(Path.Join(Tree, "a/b/c"));
        Directory.CreateDirectory(Path.Join(Tree, "t"));
        Directory.CreateSymbolicLink(Path.Join(_home, "store/link-a"), "../../canary");
        Directory.CreateSymbolicLink(Path.Join(_home, "store/link-b"), Path.Join(Canary, "b"));
        Directory.CreateSymbolicLink(Path.Join(_home, "store/link-c"), "../../../../canary/b/c");
        Directory.CreateSymbolicLink(Path.Join(_home, "store/link-t"), Canary);
    }

    /// <returns>Whether the layer was applied; it may also be refused, because its files are gone under it.</returns>
    private bool Apply(byte[] archive, Digest digest)
    {
        try
        {
            using MemoryStream content = new(archive);
            LayerApplier.Apply(content, Path.Join(_home, "store"), SnapshotForm.Directory, digest, new LayerLimits(), _ => { });
            return true;
        }
        catch (LayerException)
        {
            return false;
        }
    }

    private string Read() => string.Join('\n', TreeReader.Read(Canary).Select(entry => $"{entry.Key} {entry.Value}"));

    /// <summary>Exchanges, as fast as it can; it holds the directories, so that its own way does not lead through its links.</summary>
    private sealed class Attack : IDisposable
    {
        private const uint RENAME_EXCHANGE = 2;

        private readonly RootDirectory[] _directories;
        private readonly Thread _thread;
        private volatile bool _ends;
        private long _swaps;

        public Attack(string store)
        {
            _directories = [new(store), new(Path.Join(store, "fs")), new(Path.Join(store, "fs/a")), new(Path.Join(store, "fs/a/b"))];
            _thread = new Thread(Run);
            _thread.Start();
        }

        /// <summary>Ends it.</summary>
        /// <returns>How often something was exchanged.</returns>
        public long End()
        {
            _ends = true;
            _thread.Join();
            return _swaps;
        }

        public void Dispose()
        {
            End();
            Array.ForEach(_directories, directory => directory.Dispose());
        }

        private void Run()
        {
            (int Directory, string Name)[] targets = [(1, "a"), (2, "b"), (3, "c"), (1, "t")];
            int store = (int)_directories[0].Handle.DangerousGetHandle();
            while (!_ends)
            {
                foreach ((int directory, string name) in targets)
                {
                    int held = (int)_directories[directory].Handle.DangerousGetHandle();
                    _swaps += Exchange(held, name, store, "link-" + name, RENAME_EXCHANGE) == 0 ? 1 : 0;
                }
            }
        }

        [DllImport("libc", EntryPoint = "renameat2")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        [SuppressMessage("Interoperability", "SYSLIB1054", Justification = "The generator needs unsafe code, which tests do not have.")]
        private static extern int Exchange(
            int fromDirectory, [MarshalAs(UnmanagedType.LPUTF8Str)] string from, int toDirectory, [MarshalAs(UnmanagedType.LPUTF8Str)] string to, uint flags);
    }
}
