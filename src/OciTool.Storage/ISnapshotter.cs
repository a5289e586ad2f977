using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>Makes the writable tree of a container out of the layers of its image.</summary>
public interface ISnapshotter
{
    /// <summary>Prepares a tree; nothing is mounted.</summary>
    /// <param name="containerId">The container; its directory is there.</param>
    /// <param name="config">The config of its image.</param>
    /// <returns>What to mount as the container's root.</returns>
    /// <exception cref="OciException">A layer is missing.</exception>
    Mount Prepare(string containerId, ImageConfig config);

    /// <summary>Removes what <see cref="Prepare"/> made.</summary>
    /// <param name="containerId">The container.</param>
    void Remove(string containerId);
}
