using System.Diagnostics.CodeAnalysis;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>One image of an archive or a directory.</summary>
/// <param name="Names">Its names as they are written there; none where it has none.</param>
/// <param name="Source">Reads it.</param>
public sealed record TransportImage(IReadOnlyList<string> Names, IImageSource Source);

/// <summary>The images of an archive or a directory that is open for reading.</summary>
public sealed class TransportImages : IDisposable
{
    private readonly ITransportFiles _files;

    private TransportImages(ITransportFiles files, TransportKind kind, IReadOnlyList<TransportImage> images) =>
        (_files, Kind, Images) = (files, kind, images);

    /// <summary>The form in which they lie there.</summary>
    public TransportKind Kind { get; }

    /// <summary>All of them, in the order in which they stand there.</summary>
    public IReadOnlyList<TransportImage> Images { get; }

    /// <summary>Opens what a transport names.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="OciException">It is not there, damaged or hostile.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "Read disposes it after a failure; else it belongs to the result")]
    public static TransportImages Open(TransportName name)
    {
        ITransportFiles files = name.Kind is TransportKind.OciLayout or TransportKind.Directory
            ? OpenDirectory(name.Path)
            : OpenFile(name.Path);
        return Read(files, () => name.Kind);
    }

    /// <summary>Opens an archive or a directory in whatever form it is.</summary>
    /// <param name="path">The file or directory; null reads the standard input.</param>
    /// <exception cref="OciException">It is of no form that is known here, damaged or hostile.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "Read disposes it after a failure; else it belongs to the result")]
    public static TransportImages Recognize(string? path)
    {
        if (path is not null && !Path.Exists(path))
        {
            throw new OciException($"stat {Printable.Shorten(path)}: no such file or directory");
        }

        try
        {
            ITransportFiles files = path is null ? ArchiveFiles.Open(Console.OpenStandardInput(), "the standard input", Temporary)
                : Directory.Exists(path) ? OpenDirectory(path)
                : OpenFile(path);
            return Read(files, () => Recognize(files));
        }
        catch (NoArchiveException e)
        {
            string name = path is null ? "the standard input" : $"'{Printable.Shorten(path)}'";
            throw new OciException($"{Mismatch}: {name} is no tar archive (oci-archive, docker-archive) and no directory (oci, dir)", e);
        }
    }

    private const string Mismatch = "payload does not match any of the supported image formats"; // podman's words

    private static TransportKind Recognize(ITransportFiles files)
    {
        bool isDirectory = files is DirectoryFiles;
        return files.Has("index.json") ? (isDirectory ? TransportKind.OciLayout : TransportKind.OciArchive)
            : files.Has("manifest.json") ? (isDirectory ? TransportKind.Directory : TransportKind.DockerArchive)
            : !isDirectory && files.Has(LegacyArchive.Names) ? TransportKind.DockerArchive
            : throw new OciException($"{Mismatch}: {files.Name} has neither index.json ({(isDirectory ? "oci" : "oci-archive")}) nor "
                + (isDirectory ? "manifest.json (dir)" : "manifest.json or repositories (docker-archive)"));
    }

    /// <summary>The image that a name asks for.</summary>
    /// <param name="name">What was opened.</param>
    /// <exception cref="OciException">It has no such image, or several; the message lists them.</exception>
    public TransportImage Choose(TransportName name)
    {
        TransportImage? chosen = name.Index is { } index ? Images.ElementAtOrDefault(index)
            : name.Image is { } wanted ? Images.FirstOrDefault(image => image.Names.Contains(wanted))
                ?? Images.FirstOrDefault(image => image.Names.Any(known => IsSame(known, wanted)))
            : Images is [var only] ? only
            : null;
        return chosen ?? throw new OciException(
            (name.Image is null ? $"{name}: more than one image in it, choose an image" : $"{name}: no such image")
            + $": it has {string.Join(", ", Images.Take(16).Select(Describe))}");
    }

    /// <summary>Closes the archive.</summary>
    public void Dispose() => _files.Dispose();

    internal static string Temporary =>
        Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } chosen ? chosen : "/var/tmp";

    private static bool IsSame(string known, string wanted) =>
        Reference.TryParse(known, out Reference? one, out _) && Reference.TryParse(wanted, out Reference? other, out _) && one == other;

    private static string Describe(TransportImage image, int index) =>
        image.Names.Count == 0 ? $"@{index}" : string.Join(", ", image.Names.Select(name => Printable.Shorten(name)));

    private static DirectoryFiles OpenDirectory(string path) => Directory.Exists(path)
        ? new DirectoryFiles(path)
        : throw new OciException($"open {Printable.Shorten(path)}: no such directory");

    [SuppressMessage("Reliability", "CA2000", Justification = "the archive disposes it after a failure; else it belongs to the result")]
    private static ArchiveFiles OpenFile(string path)
    {
        FileStream? file = null;
        try
        {
            file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string cause = e is FileNotFoundException or DirectoryNotFoundException ? "no such file or directory" : e.Message.TrimEnd('.');
            throw new OciException($"opening file \"{Printable.Shorten(path)}\": {cause}", e);
        }

        return ArchiveFiles.Open(file, $"'{Printable.Shorten(path)}'", Temporary);
    }

    private static TransportImages Read(ITransportFiles files, Func<TransportKind> kindOf)
    {
        try
        {
            TransportKind kind = kindOf();
            IReadOnlyList<TransportImage> images = kind switch
            {
                TransportKind.DockerArchive => DockerArchive.Read(files),
                TransportKind.Directory => DirectoryImage.Read(files),
                _ => ImageLayout.Read(files),
            };
            return images.Count > 0 ? new TransportImages(files, kind, images) : throw new OciException($"{files.Name}: there is no image in it");
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }
}
