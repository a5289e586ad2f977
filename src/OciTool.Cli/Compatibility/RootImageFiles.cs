using Microsoft.Win32.SafeHandles;
using OciTool.Images.Compatibility;
using OciTool.Linux;

namespace OciTool.Cli.Compatibility;

/// <summary>The files of an image whose layers are stacked below a root.</summary>
/// <param name="root">The root; the caller disposes it.</param>
internal sealed class RootImageFiles(RootDirectory root) : IImageFiles
{
    private const uint AnyExecute = 0x49; // 0111

    // a check asks for the same few paths again and again
    private readonly Dictionary<string, ImageFile?> _found = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ImageFile? Find(string path)
    {
        if (!_found.TryGetValue(path, out ImageFile? file))
        {
            file = Guard(() => root.Look(path) is { } found
                ? new ImageFile(KindOf(found.Kind), found.Mode, found.Owner, found.Group, found.Size, found.RealPath)
                : null);
            _found.Add(path, file);
        }

        return file;
    }

    /// <inheritdoc/>
    public IFileBytes? Open(string path) => Guard(() => root.OpenRegular(path) is { } file ? new OpenedBytes(file) : null);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string path) => Guard(() => root.ListNames(path));

    /// <inheritdoc/>
    public TreeFacts ReadTree() => Guard(() =>
    {
        TreeSurvey survey = new();
        TreeWalk.Visit(root, node => survey.Add(
            node.Text,
            node.Status.Owner,
            node.Status.Group,
            node.Status.IsRegularFile && (node.Status.Mode & AnyExecute) != 0 && node.HasCapabilities, // a system call for each that is asked
            node.IsCharacterDevice || node.IsBlockDevice));
        return survey.Facts;
    });

    private static ImageFileKind KindOf(InRootKind kind) => kind switch
    {
        InRootKind.RegularFile => ImageFileKind.Regular,
        InRootKind.Directory => ImageFileKind.Directory,
        _ => ImageFileKind.Special,
    };

    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (IOException e)
        {
            throw new UnreadableImageException($"the image's files cannot be read: {e.Message}", e);
        }
    }

    private sealed class OpenedBytes(SafeFileHandle file) : IFileBytes, IDisposable
    {
        public long Length { get; } = RandomAccess.GetLength(file);

        public int Read(long offset, Span<byte> buffer) => Guard(file, offset, buffer);

        public void Dispose() => file.Dispose();

        private static int Guard(SafeFileHandle file, long offset, Span<byte> buffer)
        {
            try
            {
                return RandomAccess.Read(file, buffer, offset);
            }
            catch (IOException e)
            {
                throw new UnreadableImageException($"the image's files cannot be read: {e.Message}", e);
            }
        }
    }
}
