using System.Net.Http.Headers;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Uploads images byte by byte as they are, which no peer does.</summary>
internal static class RegistryWriter
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Uploads an image with all that it refers to (distribution-spec, "Pushing blobs", "Pushing manifests").</summary>
    public static async Task PushAsync(string host, string repository, string tag, TestImage image)
    {
        foreach (TestImage platform in image.Platforms)
        {
            await PushAsync(host, repository, platform.Document.Digest, platform);
        }

        foreach (Blob blob in image.Blobs)
        {
            using HttpResponseMessage session =
                await Client.PostAsync(new Uri($"http://{host}/v2/{repository}/blobs/uploads/"), content: null);
            session.EnsureSuccessStatusCode();
            Uri location = session.Headers.Location!;
            string separator = location.Query.Length == 0 ? "?" : "&";
            await PutAsync(new Uri($"{location}{separator}digest={Uri.EscapeDataString(blob.Digest)}"), blob.Content,
                "application/octet-stream");
        }

        await PutAsync(new Uri($"http://{host}/v2/{repository}/manifests/{tag}"), image.Document.Content,
            image.Document.MediaType);
    }

    private static async Task PutAsync(Uri target, byte[] content, string mediaType)
    {
        using ByteArrayContent body = new(content);
        body.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using HttpResponseMessage answer = await Client.PutAsync(target, body);
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"PUT {target}: {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }
}
