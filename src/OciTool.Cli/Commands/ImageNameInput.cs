using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>Reads names that a user gives to images.</summary>
internal static class ImageNameInput
{
    /// <summary>Parses a name for a local image: one without a registry belongs to <c>localhost</c>, as with podman.</summary>
    /// <exception cref="OciException">It is not a name.</exception>
    public static Reference ParseLocal(string text)
    {
        Reference reference = Reference.Parse(text);
        bool named = text.StartsWith(reference.Registry, StringComparison.Ordinal)
            || text.StartsWith("docker.io/", StringComparison.Ordinal) || text.StartsWith("docker://", StringComparison.Ordinal);
        return named ? reference : Reference.Parse($"localhost/{text}");
    }
}
