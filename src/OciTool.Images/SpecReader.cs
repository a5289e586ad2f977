using System.Text.Json;

namespace OciTool.Images;

/// <summary>Reads the documents of the OCI image-spec from their tokens.</summary>
/// <remarks>
/// The serializer would first build tables of all their types, by reflection over attributes: several milliseconds, at
/// each <c>oci run</c>, for a few hundred bytes. As it does, this passes over members that it does not know, and takes no
/// null where the specification wants a value. That no name occurs twice is checked before, by <see cref="StrictJson"/>.
/// </remarks>
internal ref struct SpecReader
{
    private Utf8JsonReader _json;

    private SpecReader(ReadOnlySpan<byte> document)
    {
        _json = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });
        _json.Read();
    }

    /// <summary>Reads an image index.</summary>
    /// <param name="document">A document that <see cref="StrictJson"/> has seen.</param>
    /// <exception cref="JsonException">It is not an index.</exception>
    /// <exception cref="OciException">A value in it is none.</exception>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> document) => new SpecReader(document).Index();

    /// <summary>Reads an image manifest.</summary>
    /// <inheritdoc cref="ReadIndex"/>
    public static Manifest ReadManifest(ReadOnlySpan<byte> document) => new SpecReader(document).Manifest();

    /// <summary>Reads an image configuration.</summary>
    /// <inheritdoc cref="ReadIndex"/>
    public static ImageConfig ReadConfig(ReadOnlySpan<byte> document) => new SpecReader(document).Config();

    private ImageIndex Index()
    {
        int? version = null;
        List<Descriptor>? manifests = null;
        string? mediaType = null;
        string? artifactType = null;
        Dictionary<string, string>? annotations = null;
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "schemaVersion": version = (int)Number(name, int.MaxValue); break;
                case "manifests": manifests = Descriptors(name); break;
                case "mediaType": mediaType = OptionalText(name); break;
                case "artifactType": artifactType = OptionalText(name); break;
                case "annotations": annotations = Texts(name); break;
                default: _json.Skip(); break;
            }
        }

        return new ImageIndex(version ?? throw Missing("schemaVersion"), manifests ?? throw Missing("manifests"))
        {
            MediaType = mediaType,
            ArtifactType = artifactType,
            Annotations = annotations,
        };
    }

    private Manifest Manifest()
    {
        int? version = null;
        Descriptor? config = null;
        List<Descriptor>? layers = null;
        string? mediaType = null;
        string? artifactType = null;
        Descriptor? subject = null;
        Dictionary<string, string>? annotations = null;
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "schemaVersion": version = (int)Number(name, int.MaxValue); break;
                case "config": config = Descriptor(); break;
                case "layers": layers = Descriptors(name); break;
                case "mediaType": mediaType = OptionalText(name); break;
                case "artifactType": artifactType = OptionalText(name); break;
                case "subject": subject = IsNull ? null : Descriptor(); break;
                case "annotations": annotations = Texts(name); break;
                default: _json.Skip(); break;
            }
        }

        return new Manifest(
            version ?? throw Missing("schemaVersion"), config ?? throw Missing("config"), layers ?? throw Missing("layers"))
        {
            MediaType = mediaType,
            ArtifactType = artifactType,
            Subject = subject,
            Annotations = annotations,
        };
    }

    private Descriptor Descriptor()
    {
        string? mediaType = null;
        Digest? digest = null;
        long? size = null;
        Platform? platform = null;
        string? artifactType = null;
        Dictionary<string, string>? annotations = null;
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "mediaType": mediaType = Text(name); break;
                case "digest": digest = Digest.Parse(Text(name)); break;
                case "size": size = Number(name, long.MaxValue); break;
                case "platform": platform = IsNull ? null : Platform(); break;
                case "artifactType": artifactType = OptionalText(name); break;
                case "annotations": annotations = Texts(name); break;
                default: _json.Skip(); break;
            }
        }

        return new Descriptor(
            mediaType ?? throw Missing("mediaType"), digest ?? throw Missing("digest"), size ?? throw Missing("size"))
        {
            Platform = platform,
            ArtifactType = artifactType,
            Annotations = annotations,
        };
    }

    private Platform Platform()
    {
        string? os = null;
        string? architecture = null;
        string? variant = null;
        string? version = null;
        List<string>? features = null;
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "os": os = Text(name); break;
                case "architecture": architecture = Text(name); break;
                case "variant": variant = OptionalText(name); break;
                case "os.version": version = OptionalText(name); break;
                case "os.features": features = List(name); break;
                default: _json.Skip(); break;
            }
        }

        return new Platform(os ?? throw Missing("os"), architecture ?? throw Missing("architecture"), variant)
        {
            OsVersion = version,
            OsFeatures = features,
        };
    }

    private ImageConfig Config()
    {
        string? architecture = null;
        string? os = null;
        ImageRootfs? rootfs = null;
        ImageConfig config = new("", "", new ImageRootfs(""));
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "architecture": architecture = Text(name); break;
                case "os": os = Text(name); break;
                case "rootfs": rootfs = Rootfs(); break;
                case "variant": config = config with { Variant = OptionalText(name) }; break;
                case "created": config = config with { Created = OptionalText(name) }; break;
                case "author": config = config with { Author = OptionalText(name) }; break;
                case "config": config = config with { Config = IsNull ? null : Execution() }; break;
                case "history": config = config with { History = History(name) }; break;
                case "comment": config = config with { Comment = OptionalText(name) }; break;
                case "parent": config = config with { Parent = OptionalText(name) }; break;
                case "docker_version": config = config with { DockerVersion = OptionalText(name) }; break;
                default: _json.Skip(); break;
            }
        }

        return config with
        {
            Architecture = architecture ?? throw Missing("architecture"),
            Os = os ?? throw Missing("os"),
            Rootfs = rootfs ?? throw Missing("rootfs"),
        };
    }

    private ImageRootfs Rootfs()
    {
        string? type = null;
        List<Digest>? diffIds = null;
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "type": type = Text(name); break;
                case "diff_ids": diffIds = List(name)?.ConvertAll(Digest.Parse); break;
                default: _json.Skip(); break;
            }
        }

        return new ImageRootfs(type ?? throw Missing("type"), diffIds);
    }

    private ExecutionConfig Execution()
    {
        ExecutionConfig config = new();
        Open();
        while (Next(out string name))
        {
            switch (name)
            {
                case "User": config = config with { User = OptionalText(name) }; break;
                case "ExposedPorts": config = config with { ExposedPorts = Set(name) }; break;
                case "Env": config = config with { Env = List(name) }; break;
                case "Entrypoint": config = config with { Entrypoint = List(name) }; break;
                case "Cmd": config = config with { Cmd = List(name) }; break;
                case "Volumes": config = config with { Volumes = Set(name) }; break;
                case "WorkingDir": config = config with { WorkingDir = OptionalText(name) }; break;
                case "Labels": config = config with { Labels = Texts(name) }; break;
                case "StopSignal": config = config with { StopSignal = OptionalText(name) }; break;
                default: _json.Skip(); break;
            }
        }

        return config;
    }

    private List<HistoryEntry>? History(string name)
    {
        if (!OpenList(name))
        {
            return null;
        }

        List<HistoryEntry> history = [];
        while (NextElement())
        {
            HistoryEntry entry = new();
            Open();
            while (Next(out string member))
            {
                switch (member)
                {
                    case "created": entry = entry with { Created = OptionalText(member) }; break;
                    case "created_by": entry = entry with { CreatedBy = OptionalText(member) }; break;
                    case "author": entry = entry with { Author = OptionalText(member) }; break;
                    case "comment": entry = entry with { Comment = OptionalText(member) }; break;
                    case "empty_layer": entry = entry with { EmptyLayer = OptionalBoolean(member) }; break;
                    default: _json.Skip(); break;
                }
            }

            history.Add(entry);
        }

        return history;
    }

    private List<Descriptor> Descriptors(string name)
    {
        List<Descriptor> descriptors = OpenList(name) ? [] : throw Wanted("a list", name);
        while (NextElement())
        {
            descriptors.Add(Descriptor());
        }

        return descriptors;
    }

    private List<string>? List(string name)
    {
        if (!OpenList(name))
        {
            return null;
        }

        List<string> list = [];
        while (NextElement())
        {
            list.Add(Text(name));
        }

        return list;
    }

    // Go writes a map that is null as null, and a value in it that is null reads as nothing
    private Dictionary<string, string>? Texts(string name)
    {
        if (IsNull)
        {
            return null;
        }

        Dictionary<string, string> texts = [];
        Open();
        while (Next(out string key))
        {
            texts[key] = OptionalText(name) ?? "";
        }

        return texts;
    }

    private Dictionary<string, EmptyObject?>? Set(string name)
    {
        if (IsNull)
        {
            return null;
        }

        Dictionary<string, EmptyObject?> set = [];
        Open();
        while (Next(out string key))
        {
            set[key] = IsNull ? null : _json.TokenType == JsonTokenType.StartObject ? new EmptyObject() : throw Wanted("an object", name);
            _json.Skip();
        }

        return set;
    }

    private readonly bool IsNull => _json.TokenType == JsonTokenType.Null;

    private readonly void Open()
    {
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("an object was expected");
        }
    }

    private readonly bool OpenList(string name) => _json.TokenType switch
    {
        JsonTokenType.StartArray => true,
        JsonTokenType.Null => false,
        _ => throw Wanted("a list", name),
    };

    private bool NextElement() => _json.Read() && _json.TokenType != JsonTokenType.EndArray;

    private bool Next(out string name)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject)
        {
            name = "";
            return false;
        }

        name = _json.GetString()!;
        _json.Read();
        return true;
    }

    private readonly string Text(string name) => OptionalText(name) ?? throw Wanted("text", name);

    private readonly string? OptionalText(string name) => _json.TokenType switch
    {
        JsonTokenType.String => _json.GetString(),
        JsonTokenType.Null => null,
        _ => throw Wanted("text", name),
    };

    private readonly bool? OptionalBoolean(string name) => _json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.Null => null,
        _ => throw Wanted("true or false", name),
    };

    private readonly long Number(string name, long most) =>
        _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out long number) && number <= most && number >= -most
            ? number
            : throw Wanted("a whole number", name);

    private static JsonException Missing(string name) => new($"'{name}' is missing");

    private static JsonException Wanted(string what, string name) => new($"'{name}' must be {what}");
}
