using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Tests.Registry;

/// <summary>What the tests of a repository's lists share: a registry that serves them page by page.</summary>
public abstract class RepositoryTests : RegistryTests
{
    internal RegistryContext Context => new(Options, NullLoggerFactory.Instance, Time, Warnings.Add);

    internal string[] Urls => [.. Registry.Requests.Select(request => request.Url)];

    internal RegistryRepository Repository(RegistryAccess access = RegistryAccess.Pull) =>
        RegistryRepository.Open(RegistryEndpoint.Of(Registry.Reference("fedora")), access, Context);

    internal async Task<List<string>> TagsAsync(int limit = int.MaxValue)
    {
        await using RegistryRepository repository = Repository();
        return await repository.ListTagsAsync(limit, Cancel).ToListAsync(Cancel);
    }

    /// <summary>Answers everything behind a path.</summary>
    internal void Serve(string path, Func<HttpContext, Task> answer)
    {
        Func<HttpContext, Task<bool>> others = Registry.Fault;
        Registry.Fault = async context =>
        {
            if (!context.Request.Path.ToString().StartsWith(path, StringComparison.Ordinal))
            {
                return await others(context);
            }

            await answer(context);
            return true;
        };
    }

    internal static async Task WriteJsonAsync(HttpContext context, string json, string? link = null, string type = "application/json")
    {
        context.Response.ContentType = type;
        if (link is not null)
        {
            context.Response.Headers.Link = link;
        }

        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(json));
    }

    internal static string TagsJson(IEnumerable<string> tags) =>
        $$"""{"name":"fedora","tags":[{{string.Join(',', tags.Select(tag => $"\"{JsonEncodedText.Encode(tag)}\""))}}]}""";

    internal static string IndexJson(params (string Content, string? Type)[] entries) =>
        $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', entries.Select(Entry))}}]}""";

    private static string Entry((string Content, string? Type) entry)
    {
        string type = entry.Type is null ? "" : $",\"artifactType\":\"{entry.Type}\"";
        return $$"""
            {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Digest.Of(Encoding.UTF8.GetBytes(entry.Content))}}","size":{{entry.Content.Length}},
            "annotations":{"of":"{{entry.Content}}"}{{type}} }
            """;
    }
}
