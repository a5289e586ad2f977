using System.Globalization;
using System.Net;
using System.Text;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;
using OciTool.Runtime.Users;

namespace OciTool.Runtime;

/// <summary>The files that a container sees instead of its image's: written beside the container and bound into place.</summary>
internal sealed class GeneratedFiles(
    string directory, string containerId, string containerName, string hostname, RunOptions options)
{
    private readonly List<MountSpec> _mounts = [];

    /// <summary>Writes the files, and says how they are mounted.</summary>
    internal IReadOnlyList<MountSpec> Mounts()
    {
        Add("/etc/hosts", "hosts", Hosts());
        Add("/etc/hostname", "hostname", hostname + "\n");
        Add("/run/.containerenv", "containerenv", options.Privileged
            ? $"engine=\"oci\"\nname=\"{containerName}\"\nid=\"{containerId}\"\nrootless=0\n"
            : "");
        if (options.Network == NetworkMode.Host && ReadHostFile("/etc/resolv.conf") is { } resolver)
        {
            Add("/etc/resolv.conf", "resolv.conf", resolver);
        }

        return _mounts;
    }

    /// <summary>Gives a user and a group that the image does not know an entry in copies of its files, where it has files.</summary>
    /// <returns>Whether the user got one.</returns>
    internal bool AddAccounts(ContainerUser user, RootDirectory rootfs, string workingDirectory)
    {
        bool added = false;
        if (!user.IsInPasswd && AccountFile.Load(rootfs, AccountFile.Passwd) is { } passwd)
        {
            string home = workingDirectory.AsSpan().ContainsAny(':', '\n') ? "/" : workingDirectory;
            Append(AccountFile.Passwd, "passwd", passwd,
                string.Create(CultureInfo.InvariantCulture, $"{user.Uid}:*:{user.Uid}:{user.Gid}:container user:{home}:/bin/sh\n"));
            added = true;
        }

        if (!user.IsInGroup && AccountFile.Load(rootfs, AccountFile.Group) is { } group)
        {
            Append(AccountFile.Group, "group", group,
                string.Create(CultureInfo.InvariantCulture, $"{user.Gid}:x:{user.Gid}:{user.Uid}\n"));
        }

        return added;
    }

    private static string? ReadHostFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string Hosts()
    {
        StringBuilder hosts = new();
        foreach (string entry in options.AddHosts)
        {
            int colon = entry.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new OciException($"bad format for add-host: \"{Printable.Shorten(entry)}\"");
            }

            string address = entry[(colon + 1)..];
            if (!IPAddress.TryParse(address, out _))
            {
                throw new OciException($"invalid IP address in add-host: \"{Printable.Shorten(address)}\"");
            }

            hosts.Append(address).Append('\t').Append(entry.AsSpan(0, colon)).Append('\n');
        }

        foreach (string line in (ReadHostFile("/etc/hosts") ?? "127.0.0.1 localhost\n::1 localhost\n").Split('\n'))
        {
            int comment = line.IndexOf('#', StringComparison.Ordinal);
            string[] words = (comment < 0 ? line : line[..comment]).Split(
                [' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1)
            {
                hosts.Append(words[0]).Append('\t').AppendJoin(' ', words[1..]).Append('\n');
            }
        }

        // on the host's network the host is reached by the loopback interface; without a network it is not
        if (options.Network == NetworkMode.Host)
        {
            hosts.Append("127.0.0.1\thost.containers.internal\n");
        }

        if (options.Network == NetworkMode.None || options.Hostname is not null)
        {
            hosts.Append("127.0.0.1\t").Append(hostname).Append(' ').Append(containerName).Append('\n');
        }

        return hosts.ToString();
    }

    private void Append(string destination, string name, byte[] content, string line)
    {
        byte[] file = [.. content, .. content is [.., not (byte)'\n'] ? "\n"u8 : [], .. Encoding.UTF8.GetBytes(line)];
        string path = Path.Join(directory, name);
        File.WriteAllBytes(path, file);
        AddMount(destination, path);
    }

    private void Add(string destination, string name, string content)
    {
        string path = Path.Join(directory, name);
        File.WriteAllText(path, content);
        AddMount(destination, path);
    }

    private void AddMount(string destination, string path) =>
        _mounts.Add(new(destination)
        {
            Type = "bind",
            Source = path,
            Options = options.ReadOnly
                ? ["bind", "rprivate", "ro", "nosuid", "noexec", "nodev"]
                : ["bind", "rprivate"],
        });
}
