using System.Security.Cryptography;
using System.Text;

namespace OciTool.SystemTests.Fixtures;

/// <summary>What the disk may have made of the changes that no sync had covered when the power went.</summary>
internal enum Loss
{
    /// <summary>All of them are lost.</summary>
    Everything,

    /// <summary>The names are there, and the files that they are of are empty.</summary>
    Bytes,

    /// <summary>The names and the lengths are there, and the bytes are zero.</summary>
    BytesButNotLengths,

    /// <summary>Nothing is lost, as after a kill.</summary>
    Nothing,

    /// <summary>Each is lost or not, by chance.</summary>
    Some,
}

/// <summary>The states in which a power loss may leave a directory, made of the log of what was done to it.</summary>
/// <remarks>
/// A sync covers the calls that had returned when it began, and counts when it has returned itself. The order of names is
/// what journals keep: a name that is durable has its parents, and a rename whose target is durable needs no durable source.
/// </remarks>
internal sealed class LostPower(WriteLog log)
{
    /// <summary>Writes a state to a directory, which is replaced.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="count">How many calls had returned.</param>
    /// <param name="loss">What became of those that no sync covered.</param>
    /// <param name="seed">For <see cref="Loss.Some"/>.</param>
    /// <param name="seen">States that are made already; such a one is not written.</param>
    /// <returns>Whether it is a new state.</returns>
    public bool TryWrite(string root, int count, Loss loss, int seed, HashSet<string> seen)
    {
        Random chance = new(seed);
        SortedDictionary<string, int?> names = new(StringComparer.Ordinal);
        Dictionary<int, MemoryStream> files = [];
        for (int i = 0; i < log.Before.Count; i++)
        {
            names[log.Before[i].Path] = log.Before[i].Content is { } content ? i : null;
            Bytes(files, i).Write(log.Before[i].Content ?? []);
        }

        DiskCall[] calls = [.. log.Result.Take(count)];
        foreach (DiskCall call in calls)
        {
            bool isKept = IsDurable(calls, call) || loss == Loss.Nothing || (loss == Loss.Some && chance.Next(2) == 0);
            Apply(call, isKept, loss, names, files);
        }

        return seen.Add(Signature(names, files)) && Write(root, names, files);
    }

    private static void Apply(
        DiskCall call, bool isKept, Loss loss, SortedDictionary<string, int?> names, Dictionary<int, MemoryStream> files)
    {
        bool keepsNames = isKept || loss is Loss.Bytes or Loss.BytesButNotLengths;
        switch (call)
        {
            case NameMade made when keepsNames:
                MakeParents(names, made.Path);
                names.TryAdd(made.Path, made.File);
                break;
            case NameMoved moved when keepsNames:
                MakeParents(names, moved.To);
                foreach (string below in names.Keys.Where(path => path.StartsWith($"{moved.From}/", StringComparison.Ordinal)).ToArray())
                {
                    names[$"{moved.To}{below[moved.From.Length..]}"] = names[below];
                    names.Remove(below);
                }

                names.Remove(moved.From);
                names[moved.To] = moved.File;
                break;
            case NameGone gone when keepsNames:
                names.Remove(gone.Path);
                break;
            case BytesWritten written when isKept || loss == Loss.BytesButNotLengths:
                MemoryStream file = Bytes(files, written.File);
                file.Position = written.Offset;
                file.Write(isKept ? written.Bytes : new byte[written.Bytes.Length]);
                break;
            case LengthSet length when isKept || loss == Loss.BytesButNotLengths:
                Bytes(files, length.File).SetLength(length.Length);
                break;
            default:
                break;
        }
    }

    private static bool IsDurable(DiskCall[] calls, DiskCall call) => calls.Any(sync => sync.Start > call.End && (sync, call) switch
    {
        (AllSynced, _) => true,
        (FileSynced synced, BytesWritten written) => synced.File == written.File,
        (FileSynced synced, LengthSet length) => synced.File == length.File,
        (NamesSynced synced, NameMade made) => IsIn(synced, made.Path),
        (NamesSynced synced, NameMoved moved) => IsIn(synced, moved.To) || IsIn(synced, moved.From),
        (NamesSynced synced, NameGone gone) => IsIn(synced, gone.Path),
        _ => false,
    });

    private static bool IsIn(NamesSynced synced, string path) =>
        path.Length > 0 && path[..path.LastIndexOf('/')] == synced.Path;

    private static void MakeParents(SortedDictionary<string, int?> names, string path)
    {
        for (int slash = path.Length == 0 ? -1 : path.LastIndexOf('/'); slash >= 0; slash = slash == 0 ? -1 : path.LastIndexOf('/', slash - 1))
        {
            names.TryAdd(path[..slash], null);
        }
    }

    private static MemoryStream Bytes(Dictionary<int, MemoryStream> files, int file)
    {
        if (!files.TryGetValue(file, out MemoryStream? bytes))
        {
            files[file] = bytes = new MemoryStream();
        }

        return bytes;
    }

    private static string Signature(SortedDictionary<string, int?> names, Dictionary<int, MemoryStream> files)
    {
        StringBuilder text = new();
        foreach ((string path, int? file) in names)
        {
            text.Append(path).Append(' ');
            text.AppendLine(file is { } number ? Convert.ToHexString(SHA256.HashData(Bytes(files, number).GetBuffer().AsSpan(0, (int)Bytes(files, number).Length))) : "directory");
        }

        return text.ToString();
    }

    private static bool Write(string root, SortedDictionary<string, int?> names, Dictionary<int, MemoryStream> files)
    {
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        foreach ((string path, int? file) in names)
        {
            if (file is { } number)
            {
                using FileStream target = File.Create($"{root}{path}");
                target.Write(Bytes(files, number).GetBuffer().AsSpan(0, (int)Bytes(files, number).Length));
            }
            else
            {
                Directory.CreateDirectory($"{root}{path}");
            }
        }

        return true;
    }
}
