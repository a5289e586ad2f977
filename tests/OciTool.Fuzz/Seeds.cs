using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using OciTool.Tests.Layers.Model;
using SharpCompress.Compressors.ZStandard;

namespace OciTool.Fuzz;

/// <summary>The committed corpora: small inputs, each with something of its own.</summary>
internal static class Seeds
{
    private static readonly string[] GnuTarOptions =
    [
        "--format=v7", "--format=ustar", "--format=oldgnu", "--format=gnu", "--format=gnu --sparse",
        "--format=posix --sparse --sparse-version=0.0", "--format=posix --sparse --sparse-version=0.1",
        "--format=posix --sparse --sparse-version=1.0", "--format=posix --pax-option=globexthdr.name=g,comment=c",
    ];

    /// <summary>Writes them.</summary>
    /// <param name="directory">A directory a target is made in it.</param>
    public static void Write(string directory)
    {
        Save(directory, "tar", [.. Layers(), .. GnuTars()]);
        Save(directory, "framing", Framings());
    }

    private static IEnumerable<(string, byte[])> Layers()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            List<LayerEntry> layer = RandomLayers.Layer(new Dice(seed), valid: true, most: 6);
            yield return ($"layer-{seed}", LayerEncoder.Encode(layer.Select(Smaller)));
        }
    }

    private static LayerEntry Smaller(LayerEntry entry) => entry with
    {
        Content = entry.Content[..Math.Min(entry.Content.Length, 600)],
        Xattrs = entry.Xattrs.ToDictionary(xattr => xattr.Key, xattr => xattr.Value[..Math.Min(xattr.Value.Length, 100)]),
    };

    /// <summary>One tree in all formats of GNU tar.</summary>
    private static List<(string, byte[])> GnuTars()
    {
        string tree = Directory.CreateTempSubdirectory("oci-seeds-").FullName;
        try
        {
            string deep = Directory.CreateDirectory(Path.Join(tree, "d")).FullName;
            File.WriteAllText(Path.Join(deep, "short"), "text");
            File.CreateSymbolicLink(Path.Join(deep, "link"), "short");
            using (FileStream sparse = File.Create(Path.Join(tree, "sparse")))
            {
                for (int hole = 1; hole < 7; hole++)
                {
                    sparse.Position = hole * 16384;
                    sparse.WriteByte((byte)hole);
                }

                sparse.SetLength(8 * 16384);
            }

            List<(string, byte[])> archives = [];
            foreach (string options in GnuTarOptions)
            {
                if (!options.Contains("sparse", StringComparison.Ordinal))
                {
                    File.Delete(Path.Join(tree, "sparse"));
                }

                archives.Add((string.Join('-', options.Split([' ', '-', '=', ',', '.'], StringSplitOptions.RemoveEmptyEntries)), Tar(tree, options.Split(' '))));
            }

            File.WriteAllText(Path.Join(deep, new string('n', 120)), "long name");
            File.CreateSymbolicLink(Path.Join(deep, "long"), new string('t', 120));
            archives.Add(("format-gnu-long", Tar(tree, ["--format=gnu"])));
            archives.Add(("format-posix-long", Tar(tree, ["--format=posix"])));
            return archives;
        }
        finally
        {
            Directory.Delete(tree, recursive: true);
        }
    }

    private static byte[] Tar(string tree, string[] options)
    {
        ProcessStartInfo start = new("tar", ["-b1", "-C", tree, "--mtime=@1700000000", "--owner=0", "--group=70000", "--numeric-owner", "--sort=name", .. options, "-cf", "-", "."])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process tar = Process.Start(start)!;
        using MemoryStream archive = new();
        tar.StandardOutput.BaseStream.CopyTo(archive);
        tar.WaitForExit();
        return tar.ExitCode == 0 ? archive.ToArray() : throw new InvalidOperationException($"tar: {tar.ExitCode}");
    }

    private static List<(string, byte[])> Framings()
    {
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 60).Select(number => $"line {number * number}\n")));
        byte[] noise = new byte[300];
        Dice dice = new(1);
        for (int i = 0; i < noise.Length; i++)
        {
            noise[i] = (byte)dice.Next();
        }

        byte[] gzip = Gzip(text, CompressionLevel.Optimal);
        byte[] zstd = Zstd(text);
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        return
        [
            ("plain", text[..100]), ("gzip", gzip), ("gzip-empty", Gzip([], CompressionLevel.Optimal)),
            ("gzip-stored", Gzip(noise, CompressionLevel.NoCompression)), ("gzip-fixed", Gzip("aaaaab"u8.ToArray(), CompressionLevel.Fastest)),
            ("gzip-members", [.. gzip, .. Gzip(noise, CompressionLevel.Fastest), .. new byte[20]]),
            ("gzip-header", [.. gzip[..3], 0x1e, .. gzip[4..10], 3, 0, 1, 2, 3, (byte)'n', 0, (byte)'c', 0, 0, 0, .. gzip[10..]]),
            ("zstd", zstd), ("zstd-empty", Zstd([])), ("zstd-noise", Zstd(noise)), ("zstd-zeros", Zstd(new byte[5000])),
            ("zstd-frames", [.. zstd, .. skippable, .. Zstd(noise)]), ("zstd-skippable", [.. skippable, .. zstd]),
        ];
    }

    private static byte[] Gzip(byte[] content, CompressionLevel level)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, level, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }

    private static byte[] Zstd(byte[] content)
    {
        using MemoryStream compressed = new();
        using (CompressionStream zstd = new(compressed, leaveOpen: true))
        {
            zstd.Write(content);
        }

        return compressed.ToArray();
    }

    private static void Save(string directory, string target, IEnumerable<(string Name, byte[] Content)> seeds)
    {
        string path = Directory.CreateDirectory(Path.Join(directory, target)).FullName;
        foreach ((string name, byte[] content) in seeds)
        {
            File.WriteAllBytes(Path.Join(path, name), content);
        }
    }
}
