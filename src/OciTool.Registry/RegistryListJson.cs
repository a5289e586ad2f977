using System.Text.Json.Serialization;

namespace OciTool.Registry;

/// <summary>Reads the lists that registries serve, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, MaxDepth = 16)]
[JsonSerializable(typeof(TagsDocument))]
[JsonSerializable(typeof(CatalogDocument))]
[JsonSerializable(typeof(SearchDocument))]
internal sealed partial class RegistryListJson : JsonSerializerContext;

// distribution-spec v1.1, section "Listing Tags"
internal sealed record TagsDocument(List<string?>? Tags);

// distribution, "Listing Repositories"
internal sealed record CatalogDocument(List<string?>? Repositories);

// Docker's "Search API" of version 1 of its registry, which version 2 has not replaced
internal sealed record SearchDocument(List<SearchEntry?>? Results);

internal sealed record SearchEntry(string? Name, string? Description, long? StarCount, bool? IsOfficial, bool? IsAutomated);
