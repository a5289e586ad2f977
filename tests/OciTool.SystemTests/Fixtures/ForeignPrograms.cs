namespace OciTool.SystemTests.Fixtures;

/// <summary>Debian's busybox-static of other architectures.</summary>
internal static class ForeignPrograms
{
    /// <summary>The program; it is fetched once and kept.</summary>
    /// <param name="architecture">Debian's name, for example <c>armhf</c>.</param>
    public static async Task<byte[]> BusyboxAsync(string architecture)
    {
        string cached = Path.Join(Machine.Cache, $"busybox-{architecture}");
        if (!File.Exists(cached))
        {
            Need.Root();
            Need.Programs("apt-get", "dpkg-deb");
            using TemporaryDirectory directory = new();
            bool isNew = !(await Shell.RunAsync("dpkg", "--print-foreign-architectures")).Lines.Contains(architecture);
            if (isNew)
            {
                (await Shell.RunAsync("dpkg", "--add-architecture", architecture)).Succeeded();
                await Shell.RunAsync("apt-get", "-q", "update"); // one list of several may be out of step: whether the package is there is decided below
            }

            ProgramResult download = await Shell.RunAsync(
                "sh", "-c", $"cd \"$0\" && apt-get -q download busybox-static:{architecture} && dpkg-deb -x *.deb .", directory.Path);
            if (isNew)
            {
                await Shell.RunAsync("dpkg", "--remove-architecture", architecture);
            }

            Need.That(download.Status == 0, $"needs Debian's archive for busybox-static:{architecture}: {download.Error}");
            Directory.CreateDirectory(Machine.Cache);
            string mine = $"{cached}.{Environment.ProcessId}";
            File.Copy(Path.Join(directory.Path, "bin/busybox"), mine, overwrite: true);
            File.Move(mine, cached, overwrite: true);
        }

        return await File.ReadAllBytesAsync(cached);
    }
}
