using OciTool.Images;
using OciTool.Registry;

namespace OciTool.Cli.Commands;

/// <summary>Deletes an image in its registry.</summary>
internal static class RemoteDeletion
{
    /// <summary>Deletes one.</summary>
    /// <param name="reference">The image.</param>
    /// <param name="tagOnly">Whether the tag alone is to go.</param>
    /// <param name="context">How to talk to the registry.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The line that says what was done.</returns>
    /// <exception cref="OciException">The image is not there, or the registry deletes nothing.</exception>
    public static async Task<string> RunAsync(Reference reference, bool tagOnly, RegistryContext context, CancellationToken cancellationToken)
    {
        if (tagOnly && reference.Digest is not null)
        {
            throw new UsageException($"--tag-only: {reference} names a digest, not a tag alone");
        }

        await using RegistryRepository repository =
            RegistryRepository.Open(RegistryEndpoint.Of(reference), RegistryAccess.Pull | RegistryAccess.Delete, context);
        if (tagOnly)
        {
            await repository.DeleteAsync(reference.Tag!, cancellationToken);
            return $"Untagged: {reference}";
        }

        // the tag's digest is the hash of what the registry sends for it, never its own word
        Digest digest = reference.Digest ?? (await repository.ResolveAsync(reference, cancellationToken)).Digest;
        await repository.DeleteAsync(digest.ToString(), cancellationToken);
        return $"Deleted: {reference.Name}@{digest}";
    }
}
