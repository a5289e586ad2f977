using System.Text.Json;

namespace OciTool.Images.Verification;

/// <summary>Reads a policy strictly: what is not known, occurs twice or has another type makes the whole file void.</summary>
/// <remarks>containers-policy.json(5), section "FORMAT". A typo must not make a policy weaker.</remarks>
internal sealed class PolicyReader
{
    private readonly string _file;

    private PolicyReader(string file) => _file = file;

    /// <summary>Reads a policy.</summary>
    /// <exception cref="OciException">It is not a policy.</exception>
    internal static Policy Read(string file, ReadOnlyMemory<byte> json)
    {
        PolicyReader reader = new(file);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            return reader.ReadPolicy(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException: text that is not UTF-8
            throw reader.Invalid("", e.Message);
        }
    }

    private Policy ReadPolicy(JsonElement root)
    {
        IReadOnlyList<PolicyRequirement>? requirements = null;
        Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<PolicyRequirement>>> transports = [];
        foreach (JsonProperty member in Members(root, "the policy"))
        {
            switch (member.Name)
            {
                case "default":
                    requirements = ReadRequirements(member.Value, "default");
                    break;
                case "transports":
                    foreach (JsonProperty transport in Members(member.Value, "transports"))
                    {
                        transports[transport.Name] = ReadScopes(transport);
                    }

                    break;
                default:
                    throw UnknownMember("the policy", member);
            }
        }

        return new Policy(_file, requirements ?? throw Invalid("the policy", "'default' is missing"), transports);
    }

    private Dictionary<string, IReadOnlyList<PolicyRequirement>> ReadScopes(JsonProperty transport)
    {
        Dictionary<string, IReadOnlyList<PolicyRequirement>> scopes = [];
        foreach (JsonProperty scope in Members(transport.Value, transport.Name))
        {
            RequireScope(transport.Name, scope.Name);
            scopes[scope.Name] = ReadRequirements(scope.Value, $"{transport.Name}, scope '{scope.Name}'");
        }

        return scopes;
    }

    // as podman: a scope that can never hold is a mistake
    private void RequireScope(string transport, string scope)
    {
        if (scope.Length == 0)
        {
            return;
        }

        switch (transport)
        {
            case "docker-archive":
                throw Invalid(transport, "it has no scopes but the default \"\"");
            case "dir" or "oci" or "oci-archive" when scope == "/":
                throw Invalid(transport, "the scope '/' is the default scope \"\"");
            case "dir" or "oci" or "oci-archive" when !scope.StartsWith('/') || Path.GetFullPath(scope).TrimEnd('/') != scope:
                throw Invalid(transport, $"the scope '{Printable.Shorten(scope)}' must be an absolute path without '.', '..' and a slash at its end");
            default:
                break;
        }
    }

    private List<PolicyRequirement> ReadRequirements(JsonElement value, string where)
    {
        List<PolicyRequirement> requirements = [];
        foreach (JsonElement requirement in Elements(value, where))
        {
            requirements.Add(ReadRequirement(requirement, where));
        }

        return requirements.Count > 0 ? requirements : throw Invalid(where, "a list of requirements must not be empty");
    }

    private PolicyRequirement ReadRequirement(JsonElement value, string where)
    {
        string type = ReadType(value, where);
        switch (type)
        {
            case "insecureAcceptAnything":
                AllowOnly(value, where, "type");
                return new InsecureAcceptAnything();
            case "reject":
                AllowOnly(value, where, "type");
                return new Reject();
            case "sigstoreSigned":
                return ReadSigstoreSigned(value, where);
            case "signedBy":
                AllowOnly(value, where, "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity");
                return new UnsupportedRequirement("a simple signature (signedBy)");
            case "signedBaseLayer":
                AllowOnly(value, where, "type", "baseLayerIdentity");
                return new UnsupportedRequirement("a signed base layer (signedBaseLayer)");
            default:
                throw Invalid(where, $"the requirement type '{Printable.Shorten(type, 64)}' is not known");
        }
    }

    private PolicyRequirement ReadSigstoreSigned(JsonElement value, string where)
    {
        List<KeySource>? keys = null;
        SignedIdentity? identity = null;
        string? unsupported = null;
        int keyFields = 0;
        foreach (JsonProperty member in Members(value, where))
        {
            switch (member.Name)
            {
                case "type":
                    continue;
                case "keyPath":
                    (keys, keyFields) = ([File(member.Value, where)], keyFields + 1);
                    break;
                case "keyPaths":
                    (keys, keyFields) = ([.. Elements(member.Value, where).Select(path => File(path, where))], keyFields + 1);
                    break;
                case "keyData":
                    (keys, keyFields) = ([Inline(member.Value, where)], keyFields + 1);
                    break;
                case "keyDatas":
                    (keys, keyFields) = ([.. Elements(member.Value, where).Select(data => Inline(data, where))], keyFields + 1);
                    break;
                case "fulcio":
                    (unsupported, keyFields) = ("a certificate of Fulcio (fulcio)", keyFields + 1);
                    break;
                case "pki":
                    (unsupported, keyFields) = ("a certificate of a private authority (pki)", keyFields + 1);
                    break;
                case "rekorPublicKeyPath" or "rekorPublicKeyPaths" or "rekorPublicKeyData" or "rekorPublicKeyDatas":
                    unsupported ??= $"an entry in the transparency log Rekor ({member.Name})";
                    break;
                case "signedIdentity":
                    identity = ReadIdentity(member.Value, where);
                    break;
                default:
                    throw UnknownMember(where, member);
            }
        }

        if (keyFields != 1)
        {
            throw Invalid(where, "exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki must be there");
        }

        return unsupported is not null ? new UnsupportedRequirement(unsupported)
            : keys!.Count == 0 ? throw Invalid(where, "a list of keys must not be empty")
            : new SigstoreSigned(keys, identity ?? new MatchRepoDigestOrExact());
    }

    private SignedIdentity ReadIdentity(JsonElement value, string where)
    {
        string type = ReadType(value, where);
        switch (type)
        {
            case "matchExact":
                AllowOnly(value, where, "type");
                return new MatchExact();
            case "matchRepoDigestOrExact":
                AllowOnly(value, where, "type");
                return new MatchRepoDigestOrExact();
            case "matchRepository":
                AllowOnly(value, where, "type");
                return new MatchRepository();
            case "exactReference":
                AllowOnly(value, where, "type", "dockerReference");
                return SignedReference.TryParse(Text(value, "dockerReference", where), out SignedReference? exact) && !exact.IsNameOnly
                    ? new ExactReference(exact)
                    : throw Invalid(where, "'dockerReference' must be a name with a tag or a digest");
            case "exactRepository":
                AllowOnly(value, where, "type", "dockerRepository");
                return SignedReference.TryParse(Text(value, "dockerRepository", where), out SignedReference? repository) && repository.IsNameOnly
                    ? new ExactRepository(repository.Reference.Name)
                    : throw Invalid(where, "'dockerRepository' must be the name of a repository");
            case "remapIdentity":
                AllowOnly(value, where, "type", "prefix", "signedPrefix");
                return new RemapIdentity(Prefix(value, "prefix", where), Prefix(value, "signedPrefix", where));
            default:
                throw Invalid(where, $"the identity type '{Printable.Shorten(type, 64)}' is not known");
        }
    }

    private string Prefix(JsonElement value, string name, string where)
    {
        string prefix = Text(value, name, where);
        // what a repository below it is called shows whether it is a registry, a namespace or a repository
        return Reference.TryParse($"{prefix}/x/x", out Reference? below, out _) && below.Name == $"{prefix}/x/x"
            ? prefix
            : throw Invalid(where, $"'{name}' must be a registry, a namespace or a repository");
    }

    private KeySource File(JsonElement value, string where) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } path
            ? new KeySource(path, Data: null)
            : throw Invalid(where, "the path of a key must be text");

    private KeySource Inline(JsonElement value, string where) =>
        value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out byte[]? data)
            ? new KeySource($"in {_file}, {where}", data)
            : throw Invalid(where, "the data of a key must be base64");

    private string ReadType(JsonElement value, string where)
    {
        RequireObject(value, where);
        return Text(value, "type", where);
    }

    private string Text(JsonElement value, string name, string where) =>
        value.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String
            ? member.GetString()!
            : throw Invalid(where, $"'{name}' must be there and be text");

    private void AllowOnly(JsonElement value, string where, params ReadOnlySpan<string> names)
    {
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (!names.Contains(member.Name))
            {
                throw UnknownMember(where, member);
            }
        }
    }

    private JsonElement.ObjectEnumerator Members(JsonElement value, string where)
    {
        RequireObject(value, where);
        return value.EnumerateObject();
    }

    private void RequireObject(JsonElement value, string where)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Invalid(where, "an object was expected");
        }
    }

    private JsonElement.ArrayEnumerator Elements(JsonElement value, string where) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Invalid(where, "a list was expected");

    private OciException UnknownMember(string where, JsonProperty member) =>
        Invalid(where, $"the field '{Printable.Shorten(member.Name, 64)}' is not known");

    private OciException Invalid(string where, string mistake) =>
        new($"invalid signature policy {_file}: {(where.Length == 0 ? "" : $"{Printable.Shorten(where)}: ")}{Printable.Shorten(mistake)}");
}
