using System.Buffers.Binary;
using System.Text;

namespace OciTool.Images.Compatibility;

/// <summary>Finds the libraries of a program as its loader does: ld.so(8), or musl's.</summary>
/// <param name="files">The image's files.</param>
/// <param name="program">The program.</param>
/// <param name="loader">Its loader.</param>
/// <param name="libraryPath">The image's <c>LD_LIBRARY_PATH</c>.</param>
internal sealed class LibrarySearch(IImageFiles files, ElfFile program, ProgramFile loader, string? libraryPath)
{
    private const int MostObjects = 2000;
    private const int LargestCache = 4 << 20;
    private const int LargestLoader = 4 << 20;
    private const int LongestDirectories = 1024;

    // musl is one file, which answers to all of these names (ldso/dynlink.c, load_library)
    private static readonly string[] MuslOwn = ["libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."];

    private readonly bool _isMusl = IsMusl(loader.Path);
    private readonly Dictionary<string, LoadedObject> _byName = new(StringComparer.Ordinal);
    private readonly List<LoadedObject> _objects = [];
    private readonly List<MissingLibrary> _missing = [];
    private readonly List<string> _unreadable = [];
    private Dictionary<string, List<string>>? _cache;
    private string[]? _directories;

    /// <summary>Whether a loader is musl's.</summary>
    public static bool IsMusl(string path) => path[(path.LastIndexOf('/') + 1)..].StartsWith("ld-musl-", StringComparison.Ordinal);

    /// <summary>Finds everything.</summary>
    /// <param name="path">The program's path, without links.</param>
    public LoadedLibraries Load(string path)
    {
        if (Open(path) is { } main)
        {
            _objects.Add(main);
        }

        LoadedObject? own = Open(loader.Path);
        if (own is not null)
        {
            _byName[own.Dynamic.SoName ?? loader.Path[(loader.Path.LastIndexOf('/') + 1)..]] = own;
            _byName[loader.Path[(loader.Path.LastIndexOf('/') + 1)..]] = own;
        }

        for (int i = 0; i < _objects.Count && _objects.Count < MostObjects; i++)
        {
            foreach (string name in _objects[i].Dynamic.Needed)
            {
                Need(name, _objects[i]);
            }
        }

        if (own is not null && !_objects.Contains(own))
        {
            _objects.Add(own);
        }

        return new LoadedLibraries(_objects, _missing, _isMusl ? [] : FindMissingVersions(), _unreadable);
    }

    private void Need(string name, LoadedObject by)
    {
        if (_byName.ContainsKey(name) || _missing.Exists(missing => missing.Name == name)
            || (_isMusl && Array.Exists(MuslOwn, own => name.StartsWith(own, StringComparison.Ordinal))))
        {
            return;
        }

        string? damage = null;
        foreach (string candidate in Candidates(name, by))
        {
            if (files.Find(candidate) is not { Kind: ImageFileKind.Regular })
            {
                continue;
            }

            LoadedObject? loaded = Open(candidate, out damage);
            if (damage is not null)
            {
                break; // both loaders stop at a file that is no library at all
            }

            if (loaded is { Elf.IsMislabelled: false } && loaded.Elf.Machine == program.Machine && loaded.Elf.Is64 == program.Is64)
            {
                _byName[name] = loaded;
                if (loaded.Dynamic.SoName is { } soName)
                {
                    _byName.TryAdd(soName, loaded);
                }

                if (!_objects.Exists(known => known.Path == loaded.Path))
                {
                    _objects.Add(loaded);
                }

                return;
            }
        }

        _missing.Add(new MissingLibrary(name, by.Path, damage));
    }

    private IEnumerable<string> Candidates(string name, LoadedObject by)
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            yield return CommandSearch.Absolute("/", name);
            yield break;
        }

        // a RUNPATH makes the RPATH of the same file void; that of the program holds for all that it loads
        bool usesRPath = _isMusl || by.Dynamic.RunPath is null;
        IEnumerable<string> directories = Split(usesRPath ? by.Dynamic.RPath : null, by)
            .Concat(usesRPath && _objects.Count > 0 && _objects[0].Dynamic.RunPath is null ? Split(_objects[0].Dynamic.RPath, _objects[0]) : [])
            .Concat(Split(libraryPath, by))
            .Concat(Split(by.Dynamic.RunPath, by));
        foreach (string directory in directories)
        {
            yield return $"{directory}/{name}";
        }

        if (!_isMusl && Cache.TryGetValue(name, out List<string>? cached))
        {
            foreach (string path in cached)
            {
                yield return path; // one for each architecture that is installed
            }
        }

        foreach (string directory in _isMusl ? MuslDirectories() : GlibcDirectories())
        {
            yield return $"{directory}/{name}";
        }
    }

    private static IEnumerable<string> Split(string? path, LoadedObject by)
    {
        int end = by.Path.LastIndexOf('/');
        string origin = end <= 0 ? "/" : by.Path[..end];
        bool is64 = by.Elf.Is64;
        foreach (string entry in path?.Split(':', ';') ?? [])
        {
            if (entry.Length > 0)
            {
                yield return CommandSearch.Absolute("/", entry
                    .Replace("${ORIGIN}", origin, StringComparison.Ordinal).Replace("$ORIGIN", origin, StringComparison.Ordinal)
                    .Replace("${LIB}", is64 ? "lib64" : "lib", StringComparison.Ordinal).Replace("$LIB", is64 ? "lib64" : "lib", StringComparison.Ordinal));
            }
        }
    }

    // Each build of glibc has its own: Debian's does not look into /lib64, Fedora's into nothing else
    private IReadOnlyList<string> GlibcDirectories() => _directories ??= OwnDirectories(FileText.Read(files, loader.Path, LargestLoader) ?? []) ?? UsualDirectories();

    /// <summary>Reads <c>system_dirs</c> of a loader: directories that end in a slash and a NUL, one behind the other.</summary>
    private static string[]? OwnDirectories(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> mark = "/usr/lib"u8;
        for (int from = 0; bytes[from..].IndexOf(mark) is >= 0 and var found; from += found + mark.Length)
        {
            int start = bytes[..(from + found)].LastIndexOf("\0\0"u8) + 2; // behind the padding, or another string
            ReadOnlySpan<byte> run = bytes[Math.Max(start, from + found - LongestDirectories)..Math.Min(bytes.Length, from + found + LongestDirectories)];
            List<string> directories = [];
            int marked = -1;
            while (run.IndexOf((byte)0) is > 0 and var end)
            {
                string text = Encoding.ASCII.GetString(run[..end]);
                run = run[(end + 1)..];
                if (text.Length > 2 && text[0] == '/' && text[^1] == '/' && text.Contains("lib", StringComparison.Ordinal))
                {
                    marked = text.StartsWith("/usr/lib", StringComparison.Ordinal) ? directories.Count : marked;
                    directories.Add(text.TrimEnd('/'));
                }
                else if (marked >= 0)
                {
                    break;
                }
                else
                {
                    directories.Clear();
                }
            }

            if (marked >= 0 && directories.Count >= 2)
            {
                return [.. directories];
            }
        }

        return null;
    }

    private string[] UsualDirectories()
    {
        string? triplet = program.Architecture switch
        {
            "amd64" => "x86_64-linux-gnu",
            "386" => "i386-linux-gnu",
            "arm64" => "aarch64-linux-gnu",
            "arm" => (program.Flags & 0x200) != 0 ? "arm-linux-gnueabi" : "arm-linux-gnueabihf",
            "ppc64le" => "powerpc64le-linux-gnu",
            "s390x" => "s390x-linux-gnu",
            "riscv64" => "riscv64-linux-gnu",
            "loong64" => "loongarch64-linux-gnu",
            _ => null,
        };
        return [.. triplet is null ? (string[])[] : [$"/lib/{triplet}", $"/usr/lib/{triplet}"], .. program.Is64 ? (string[])["/lib64", "/usr/lib64"] : [], "/lib", "/usr/lib"];
    }

    private string[] MuslDirectories()
    {
        string name = loader.Path[(loader.Path.LastIndexOf('/') + 1)..];
        string architecture = name["ld-musl-".Length..].Split('.')[0];
        return FileText.Read(files, $"/etc/ld-musl-{architecture}.path", OsRelease.MaxSize) is { } bytes
            ? Encoding.UTF8.GetString(bytes).Split([':', '\n'], StringSplitOptions.RemoveEmptyEntries)
            : ["/lib", "/usr/local/lib", "/usr/lib"];
    }

    private Dictionary<string, List<string>> Cache => _cache ??= ReadCache(FileText.Read(files, "/etc/ld.so.cache", LargestCache) ?? []);

    /// <summary>Reads ld.so.cache; a damaged one has what could be read of it, as for the loader.</summary>
    /// <remarks>glibc's sysdeps/generic/dl-cache.h: a header of 48 bytes, and 24 bytes for each library.</remarks>
    private static Dictionary<string, List<string>> ReadCache(byte[] bytes)
    {
        Dictionary<string, List<string>> libraries = new(StringComparer.Ordinal);
        int start = bytes.AsSpan().IndexOf("glibc-ld.so.cache1.1"u8);
        if (start < 0 || bytes.Length < start + 48)
        {
            return libraries;
        }

        ReadOnlySpan<byte> cache = bytes.AsSpan(start);
        uint count = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(cache[20..]), (uint)(cache.Length - 48) / 24);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = cache.Slice(48 + (i * 24), 24);
            if (TextAt(cache, BinaryPrimitives.ReadUInt32LittleEndian(entry[4..])) is { } name
                && TextAt(cache, BinaryPrimitives.ReadUInt32LittleEndian(entry[8..])) is { } path
                && BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]) == 0) // not one for better processors
            {
                if (!libraries.TryGetValue(name, out List<string>? paths))
                {
                    libraries.Add(name, paths = []);
                }

                paths.Add(path);
            }
        }

        return libraries;

        static string? TextAt(ReadOnlySpan<byte> cache, uint offset)
        {
            if (offset >= cache.Length)
            {
                return null;
            }

            ReadOnlySpan<byte> text = cache[(int)offset..];
            int end = text.IndexOf((byte)0);
            return end is > 0 and < 4096 ? Encoding.UTF8.GetString(text[..end]) : null;
        }
    }

    private List<MissingVersion> FindMissingVersions()
    {
        List<MissingVersion> missing = [];
        foreach (LoadedObject loaded in _objects)
        {
            foreach (VersionNeed need in loaded.Dynamic.VersionNeeds)
            {
                // a library without any version only makes the loader warn
                if (_byName.TryGetValue(need.Library, out LoadedObject? library) && library.Dynamic.VersionDefinitions.Count > 0)
                {
                    missing.AddRange(need.Versions
                        .Where(version => !version.IsWeak && !library.Dynamic.VersionDefinitions.Contains(version.Name))
                        .Select(version => new MissingVersion(version.Name, library.Path, loaded.Path)));
                }
            }
        }

        return missing;
    }

    private LoadedObject? Open(string path) => Open(path, out _);

    private LoadedObject? Open(string path, out string? damage)
    {
        damage = null;
        IFileBytes? file = files.Open(path);
        using IDisposable? owned = file as IDisposable;
        if (file is null)
        {
            return null;
        }

        ElfFile elf;
        try
        {
            elf = ElfFile.Read(file);
        }
        catch (InvalidElfException e)
        {
            damage = e.Message;
            return null;
        }

        try
        {
            return new LoadedObject(path, elf, ElfDynamic.Read(elf, file));
        }
        catch (InvalidElfException e)
        {
            _unreadable.Add($"{path}: {e.Message}");
            return new LoadedObject(path, elf, ElfDynamic.None);
        }
    }
}
