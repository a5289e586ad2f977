using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>What stands behind <c>containers-storage:</c>, as containers-transports(5) has it: <c>[[driver@]root[+runroot][:options]]NAME|ID</c>.</summary>
/// <param name="Place">The store.</param>
/// <param name="Image">A name, an ID, or both with <c>@</c> between them; empty for all images that have names.</param>
internal sealed record ContainersStorageName(ContainersStoragePlace Place, string Image)
{
    /// <summary>Reads what was typed.</summary>
    /// <param name="text">What stands behind the colon.</param>
    /// <param name="byDefault">The store where none is named.</param>
    /// <exception cref="OciException">The store's part is not written as it has to be.</exception>
    internal static ContainersStorageName Parse(string text, ContainersStoragePlace byDefault)
    {
        if (!text.StartsWith('['))
        {
            return new ContainersStorageName(byDefault, text);
        }

        int end = text.IndexOf(']', StringComparison.Ordinal);
        if (end < 0)
        {
            throw Wrong(text, "the ']' behind the store is missing");
        }

        return new ContainersStorageName(ParsePlace(text, text[1..end], byDefault), text[(end + 1)..]);
    }

    private static ContainersStoragePlace ParsePlace(string text, string place, ContainersStoragePlace byDefault)
    {
        int at = place.IndexOf('@', StringComparison.Ordinal);
        string? driver = at < 0 ? byDefault.Driver : place[..at];
        (string path, string options) = Divide(place[(at + 1)..], ':');
        (string root, string runRoot) = Divide(path, '+');
        return driver is "" ? throw Wrong(text, "there is no driver before '@'")
            : root.Length == 0 && at < 0 && path.Length == 0 ? throw Wrong(text, "there is no store between '[' and ']'")
            : (root.Length > 0 && root[0] != '/') || (runRoot.Length > 0 && runRoot[0] != '/') ? throw Wrong(text, "a store is an absolute path")
            : new ContainersStoragePlace(root.Length == 0 ? byDefault.Root : root, driver, Additional(options));
    }

    // overlay.imagestore=PATH is how one more store is given on a command line
    private static string[] Additional(string options) =>
        [.. options.Split(',').Select(option => Divide(option, '='))
            .Where(option => option.After.StartsWith('/') && (option.Before is "imagestore" or "additionalimagestore"
                || option.Before.EndsWith(".imagestore", StringComparison.Ordinal) || option.Before.EndsWith(".additionalimagestore", StringComparison.Ordinal)))
            .Select(option => option.After)];

    private static (string Before, string After) Divide(string text, char mark)
    {
        int at = text.IndexOf(mark, StringComparison.Ordinal);
        return at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);
    }

    private static OciException Wrong(string text, string cause) =>
        new($"'containers-storage:{Printable.Shorten(text)}': {cause}")
        {
            Hint = "write containers-storage:[DRIVER@ROOT+RUNROOT]NAME, or containers-storage:NAME for the store of storage.conf",
        };
}
