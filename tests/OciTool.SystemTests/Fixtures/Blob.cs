using System.Security.Cryptography;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Content that a registry serves, and the name that it has there.</summary>
public sealed record Blob(byte[] Content, string MediaType)
{
    public string Digest { get; } = DigestOf(Content);

    public static string DigestOf(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
}
