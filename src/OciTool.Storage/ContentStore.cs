using OciTool.Images;

namespace OciTool.Storage;

/// <summary>The blobs of a store: each is absent, or whole.</summary>
/// <param name="root">The store.</param>
/// <remarks>OCI image-spec v1.1, image-layout.md, section "Blobs".</remarks>
public sealed class ContentStore(StorageRoot root)
{
    internal const UnixFileMode BlobMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Whether a blob is there with the size that it should have.</summary>
    /// <param name="blob">The blob.</param>
    public bool Contains(Descriptor blob)
    {
        FileInfo file = new(Locate(blob.Digest));
        return file.Exists && file.Length == blob.Size;
    }

    /// <summary>Reads a manifest, index or config, and verifies its size and digest.</summary>
    /// <param name="descriptor">What to read.</param>
    /// <returns>Null when it is absent or is not what the descriptor names; a pull then fetches it again.</returns>
    /// <exception cref="OciException">The file is there and cannot be read.</exception>
    public Document? Find(Descriptor descriptor)
    {
        Document? document = Read(descriptor);
        return document is null || Digest.Of(document.Bytes.Span, descriptor.Digest) == descriptor.Digest ? document : null;
    }

    /// <summary>Reads a manifest, index or config, and verifies its size alone.</summary>
    /// <remarks>
    /// The digest was verified when the file was written, and only we can write to the store. Hashing would load
    /// OpenSSL, which costs more than all else that <c>run</c> and <c>images</c> do.
    /// </remarks>
    /// <inheritdoc cref="Find"/>
    internal Document? Read(Descriptor descriptor)
    {
        if (descriptor.Size > Document.MaxSize)
        {
            return null;
        }

        try
        {
            using FileStream file = OpenFile(descriptor.Digest);
            if (file.Length != descriptor.Size)
            {
                return null;
            }

            byte[] bytes = new byte[descriptor.Size];
            file.ReadExactly(bytes);
            return Document.Trust(descriptor, bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or EndOfStreamException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BlobUnreadableException(descriptor.Digest, e);
        }
    }

    /// <summary>Opens a blob; its size is verified, its digest is not.</summary>
    /// <param name="blob">The blob.</param>
    /// <exception cref="OciException">It is absent, damaged or unreadable.</exception>
    public Stream OpenRead(Descriptor blob)
    {
        try
        {
            FileStream file = OpenFile(blob.Digest);
            if (file.Length == blob.Size)
            {
                return file;
            }

            long length = file.Length;
            file.Dispose();
            throw new ContentMismatchException(blob, $"{length} bytes in the store");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BlobUnreadableException(blob.Digest, e);
        }
    }

    /// <summary>Where a blob lies in this store, or would.</summary>
    internal string PathOf(Digest digest) => Path.Join(root.Blobs, digest.Algorithm, digest.Hex);

    /// <summary>Where a blob lies: here, or else in an additional store that has it.</summary>
    internal string Locate(Digest digest)
    {
        string path = PathOf(digest);
        if (root.Additional.Count > 0 && !File.Exists(path))
        {
            foreach (StorageRoot store in root.Additional)
            {
                string other = Path.Join(store.Blobs, digest.Algorithm, digest.Hex);
                if (File.Exists(other))
                {
                    return other;
                }
            }
        }

        return path;
    }

    /// <summary>The same as <see cref="Find"/> for a pull, which fetches again also what the disk does not give back.</summary>
    internal Document? FindReadable(Descriptor descriptor)
    {
        try
        {
            return Find(descriptor);
        }
        catch (BlobUnreadableException)
        {
            return null;
        }
    }

    /// <summary>Writes a document that was verified; it becomes durable with the name that reaches it.</summary>
    internal void Write(Document document)
    {
        // what an additional store has is written here too: documents are small, and so the layout stays whole without it
        string path = PathOf(document.Digest);
        if ((root.Additional.Count == 0 || File.Exists(path)) && FindReadable(document.Descriptor) is not null)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        root.WriteAtomically(path, document.Bytes.Span, durably: false, BlobMode);
    }

    private FileStream OpenFile(Digest digest) =>
        new(Locate(digest), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
