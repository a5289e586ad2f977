using System.Globalization;
using System.Security.Cryptography;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Packages of any release and architecture of Debian, fetched beside the machine's own package lists, which stay as they are.</summary>
internal static class DebianArchive
{
    private const int LargestList = 64 << 20;

    private static readonly HttpClient Client = new() { Timeout = Shell.Patience };
    private static readonly SemaphoreSlim One = new(1);

    private static string Mirror => Environment.GetEnvironmentVariable("OCI_DEBIAN_MIRROR") is { Length: > 0 } chosen ? chosen : "http://deb.debian.org";

    /// <summary>A file of a package.</summary>
    /// <param name="suite">For example <c>trixie</c>.</param>
    /// <param name="architecture">Debian's name, for example <c>riscv64</c>.</param>
    /// <param name="package">The package's name.</param>
    /// <param name="paths">Where the file may be, without a leading slash.</param>
    public static async Task<byte[]> FileAsync(string suite, string architecture, string package, params string[] paths)
    {
        using TemporaryDirectory directory = new();
        await UnpackAsync(suite, architecture, directory.Path, package);
        return await File.ReadAllBytesAsync(paths.Select(path => Path.Join(directory.Path, path)).First(File.Exists));
    }

    /// <summary>Unpacks packages into a directory, in their order, without their scripts.</summary>
    public static async Task UnpackAsync(string suite, string architecture, string directory, params string[] packages)
    {
        Need.Programs("dpkg-deb", "xz");
        foreach (string package in packages)
        {
            (await Shell.RunAsync("dpkg-deb", "-x", await FetchAsync(suite, architecture, package), directory)).Succeeded();
        }
    }

    /// <summary>The package's file; it is fetched once and kept.</summary>
    private static async Task<string> FetchAsync(string suite, string architecture, string package)
    {
        string kept = Path.Join(Machine.Cache, "debian", $"{suite}-{architecture}-{package}.deb");
        await One.WaitAsync();
        try
        {
            if (!File.Exists(kept))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
                Dictionary<string, string> stanza = await FindAsync(suite, architecture, package);
                byte[] bytes = await GetAsync($"{Mirror}/debian/{stanza["Filename"]}", int.Parse(stanza["Size"], CultureInfo.InvariantCulture));
                Need.That(Convert.ToHexStringLower(SHA256.HashData(bytes)) == stanza["SHA256"], $"needs {stanza["Filename"]} as its list describes it");
                string mine = $"{kept}.{Environment.ProcessId}";
                await File.WriteAllBytesAsync(mine, bytes);
                File.Move(mine, kept, overwrite: true);
            }

            return kept;
        }
        finally
        {
            One.Release();
        }
    }

    private static async Task<Dictionary<string, string>> FindAsync(string suite, string architecture, string package)
    {
        string list = Path.Join(Machine.Cache, "debian", $"{suite}-{architecture}-Packages");
        string link = $"{Mirror}/debian/dists/{suite}/main/binary-{architecture}/Packages.xz";
        if (!File.Exists(list) || File.GetLastWriteTimeUtc(list) < DateTime.UtcNow.AddDays(-1)) // sid's packages go when newer ones come
        {
            string mine = $"{list}.{Environment.ProcessId}";
            await File.WriteAllBytesAsync($"{mine}.xz", await GetAsync(link, LargestList));
            (await Shell.RunAsync("xz", "-df", $"{mine}.xz")).Succeeded();
            File.Move(mine, list, overwrite: true);
        }

        bool isIt = false;
        Dictionary<string, string> values = [];
        await foreach (string line in File.ReadLinesAsync(list))
        {
            if (line.Length == 0 && isIt)
            {
                break;
            }

            isIt = line.StartsWith("Package: ", StringComparison.Ordinal) ? line["Package: ".Length..] == package : isIt && line.Length > 0;
            if (isIt && line.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon && line[0] != ' ')
            {
                values[line[..colon]] = line[(colon + 2)..];
            }
        }

        Need.That(values.ContainsKey("SHA256"), $"needs {package} in {link}");
        return values;
    }

    private static async Task<byte[]> GetAsync(string link, int most)
    {
        try
        {
            byte[] bytes = await Client.GetByteArrayAsync(new Uri(link));
            Need.That(bytes.Length <= most, $"needs {link} with {most} bytes at most");
            return bytes;
        }
        catch (HttpRequestException e)
        {
            Need.That(isThere: false, $"needs {link}: {e.Message}");
            throw;
        }
    }
}
