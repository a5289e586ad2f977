using System.Text.Json.Nodes;
using OciTool.SystemTests.Fixtures;

namespace OciTool.SystemTests.Runtime;

/// <summary>A directory with busybox as its root filesystem and a configuration that a test changes.</summary>
internal sealed class Bundle
{
    private static readonly Lazy<string[]> Applets = new(() =>
        [.. Shell.RunAsync("/bin/busybox", "--list").GetAwaiter().GetResult().Succeeded().Lines.Where(applet => applet != "busybox")]);

    private Bundle(string path) => Path = path;

    public string Path { get; }

    public string Rootfs => System.IO.Path.Join(Path, "rootfs");

    public string ConfigPath => System.IO.Path.Join(Path, "config.json");

    /// <summary>A path in the root filesystem, seen from outside.</summary>
    public string this[string path] => System.IO.Path.Join(Rootfs, path);

    /// <summary>Makes one whose process does nothing but succeed.</summary>
    /// <param name="path">The directory to make.</param>
    /// <param name="cgroup">What <c>linux.cgroupsPath</c> is.</param>
    /// <param name="change">Changes the configuration before it is written.</param>
    public static Bundle Create(string path, string cgroup, Action<JsonObject>? change)
    {
        Bundle bundle = new(path);
        foreach (string directory in new[] { "bin", "dev", "etc", "proc", "sys", "tmp", "root" })
        {
            Directory.CreateDirectory(bundle[directory]);
        }

        File.SetUnixFileMode(bundle["tmp"], (UnixFileMode)0b001_111_111_111);
        File.WriteAllBytes(bundle["bin/busybox"], BusyboxImages.Program);
        File.SetUnixFileMode(bundle["bin/busybox"], (UnixFileMode)0b111_101_101);
        foreach (string applet in Applets.Value)
        {
            File.CreateSymbolicLink(bundle[$"bin/{applet}"], "busybox");
        }

        JsonObject config = Config(cgroup);
        change?.Invoke(config);
        bundle.Write(config);
        return bundle;
    }

    /// <summary>Writes another configuration.</summary>
    public void Write(JsonObject config) => File.WriteAllText(ConfigPath, config.ToJsonString());

    /// <summary>Reads the configuration, changes it and writes it again.</summary>
    public void Change(Action<JsonObject> change)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(ConfigPath))!.AsObject();
        change(config);
        Write(config);
    }

    private static JsonObject Config(string cgroup) => JsonNode.Parse($$"""
        {
          "ociVersion": "1.0.2",
          "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": ["true"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
            "capabilities": {
              "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
              "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
              "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
            }
          },
          "root": { "path": "rootfs" },
          "hostname": "box",
          "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
            { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] }
          ],
          "linux": {
            "cgroupsPath": "{{cgroup}}",
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [{ "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }]
          }
        }
        """)!.AsObject();
}
