using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Storage.Layers;
using OciTool.Storage.Tar;

namespace OciTool.Storage.Transports;

/// <summary>The files of a tar archive, which may be compressed; read in place where it is a plain file.</summary>
/// <remarks>
/// An archive is hostile: a name or a link that leaves it, a name that occurs twice, devices, a damaged header all end
/// it before anything is taken from it. Nothing is unpacked by name.
/// </remarks>
internal sealed class ArchiveFiles : ITransportFiles
{
    private const int MaxEntries = 100_000;
    private const int MaxName = 4096;
    private const int MaxLinks = 8;

    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, Place> _places = [];

    private ArchiveFiles(string name, SafeFileHandle file) => (Name, _file) = (name, file);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Reads the list of what an archive has.</summary>
    /// <param name="input">The archive; closed with the result.</param>
    /// <param name="name">How errors call it.</param>
    /// <param name="temporary">Where a compressed archive, or one from a pipe, is kept while it is read.</param>
    /// <exception cref="NoArchiveException">It is no tar archive at all.</exception>
    /// <exception cref="OciException">It is damaged or hostile.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "it belongs to the result, and is disposed after a failure")]
    internal static ArchiveFiles Open(Stream input, string name, string temporary)
    {
        FileStream file = AsPlainFile(input, name, temporary);
        ArchiveFiles archive = new(name, file.SafeFileHandle);
        try
        {
            archive.ReadPlaces(file);
            return archive;
        }
        catch (LayerException e)
        {
            file.Dispose();
            throw archive._places.Count == 0 ? new NoArchiveException($"{name}: {e.Message}", e) : new OciException($"{name}: {e.Message}", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Stream? TryOpen(string path)
    {
        string? wanted = TransportFiles.Clean(path);
        for (int i = 0; i <= MaxLinks && wanted is not null; i++)
        {
            if (_places.TryGetValue(wanted, out Place place) && place.Link is null)
            {
                return place.IsDirectory ? null : new FileSlice(_file, place.Offset, place.Size);
            }

            wanted = Follow(wanted);
        }

        return wanted is null ? null : throw new OciException($"{Name}: '{Printable.Shorten(path)}' is behind too many links");
    }

    /// <summary>Replaces the first link of a path, be it the file or a directory above it.</summary>
    /// <returns>Null when there is none.</returns>
    private string? Follow(string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); ; slash = path.IndexOf('/', slash + 1))
        {
            if (_places.TryGetValue(slash < 0 ? path : path[..slash], out Place place) && place.Link is { } target)
            {
                return slash < 0 ? target : TransportFiles.Clean(target + path[slash..]);
            }

            if (slash < 0)
            {
                return null;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileStream AsPlainFile(Stream input, string name, string temporary)
    {
        if (input is FileStream { CanSeek: true } plain)
        {
            Span<byte> magic = stackalloc byte[6];
            int read = plain.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
            plain.Position = 0;
            if (!ArchiveInput.IsCompressed(magic[..read]))
            {
                return plain;
            }
        }

        using (input)
        {
            FileStream? spooled = Spool(temporary);
            try
            {
                ArchiveInput.Copy(input, spooled, CancellationToken.None);
                spooled.Position = 0;
                FileStream result = spooled;
                spooled = null;
                return result;
            }
            catch (Exception e) when (e is OciException or IOException)
            {
                throw new OciException($"{name}: {Printable.Shorten(e.Message)}", e);
            }
            finally
            {
                spooled?.Dispose();
            }
        }
    }

    /// <summary>A file without a name: it is gone when it is closed, also when its process was killed.</summary>
    internal static FileStream Spool(string directory)
    {
        string path = Path.Join(directory, $"oci-{Path.GetRandomFileName()}");
        FileStream file = new(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return file;
    }

    private void ReadPlaces(FileStream file)
    {
        TarReader tar = new(file);
        while (tar.Next())
        {
            if (tar.Entry.Name.Length > MaxName || _places.Count >= MaxEntries)
            {
                throw new OciException($"{Name}: it has too many entries, or a name that is too long");
            }

            string name = Encoding.UTF8.GetString(tar.Entry.Name);
            string path = TransportFiles.Clean(name) ?? throw new OciException($"{Name}: the entry '{Printable.Shorten(name)}' leaves the archive");
            Place place = Describe(tar, name, path);
            if (!place.IsDirectory && place.Link is null && place.Size > file.Length - place.Offset)
            {
                throw new OciException($"{Name}: unexpected end within '{Printable.Shorten(name)}'");
            }

            if (!_places.TryAdd(path, place) && !place.IsDirectory)
            {
                throw new OciException($"{Name}: the entry '{Printable.Shorten(name)}' occurs twice");
            }
        }

        if (_places.Count == 0)
        {
            throw new NoArchiveException($"{Name}: it is empty", cause: null);
        }
    }

    private Place Describe(TarReader tar, string name, string path)
    {
        TarEntry entry = tar.Entry;
        string target = Encoding.UTF8.GetString(entry.LinkName);
        switch (entry.Kind)
        {
            case TarEntryKind.Directory:
                return new Place(0, 0, null, IsDirectory: true);
            case TarEntryKind.RegularFile when !entry.IsSparse:
                return new Place(tar.Position, entry.Size, null, IsDirectory: false);
            case TarEntryKind.SymbolicLink:
                int slash = path.LastIndexOf('/');
                string? pointed = target.StartsWith('/') ? null : TransportFiles.Clean(slash < 0 ? target : $"{path[..slash]}/{target}");
                return new Place(0, 0, pointed ?? throw Leaves(name, target), IsDirectory: false);
            case TarEntryKind.HardLink:
                return new Place(0, 0, TransportFiles.Clean(target) ?? throw Leaves(name, target), IsDirectory: false);
            default:
                throw new OciException($"{Name}: the entry '{Printable.Shorten(name)}' is no file, directory or link");
        }
    }

    private OciException Leaves(string name, string target) =>
        new($"{Name}: the link '{Printable.Shorten(name)}' to '{Printable.Shorten(target)}' leaves the archive");

    private readonly record struct Place(long Offset, long Size, string? Link, bool IsDirectory);
}

/// <summary>A file is no tar archive, compressed or not: nothing of it can be read as one.</summary>
internal sealed class NoArchiveException(string message, Exception? cause) : OciException(message, cause);

/// <summary>A part of a file, read at its own position, so that several can be read at once.</summary>
internal sealed class FileSlice(SafeFileHandle file, long start, long length) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position { get; set; }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int wanted = (int)Math.Min(buffer.Length, Math.Max(0, length - Position));
        int read = wanted == 0 ? 0 : RandomAccess.Read(file, buffer[..wanted], start + Position);
        Position += read;
        return read;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => length + offset,
    };

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
