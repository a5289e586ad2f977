using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OciTool.Images;

namespace OciTool.Registry;

/// <summary>A page of a list that a registry served.</summary>
/// <param name="Url">Where it was asked for.</param>
/// <param name="ContentType">The media type without parameters; null when there was none.</param>
/// <param name="Link">The header that tells where the list goes on; null when there was none.</param>
/// <param name="FiltersApplied">What <c>OCI-Filters-Applied</c> says; null when it says nothing.</param>
/// <param name="Body">The bytes.</param>
internal sealed record RegistryPage(Uri Url, string? ContentType, string? Link, string? FiltersApplied, byte[] Body)
{
    /// <summary>Reads the body.</summary>
    /// <param name="type">What it should be.</param>
    /// <param name="what">The list's name, for the error.</param>
    /// <exception cref="RegistryException">It is something else.</exception>
    internal T? Read<T>(JsonTypeInfo<T> type, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type);
        }
        catch (JsonException e)
        {
            string place = string.IsNullOrEmpty(e.Path) ? "" : $" at {Printable.Shorten(e.Path, 80)}";
            throw new RegistryException($"{what}: the answer of {Addresses.Origin(Url)} is something else: unexpected JSON{place}", e)
            {
                Endpoint = Addresses.Origin(Url),
            };
        }
    }
}
