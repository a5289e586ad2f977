using OciTool.Images;

namespace OciTool.Storage;

/// <summary>No container has this name or ID.</summary>
/// <param name="nameOrId">What was asked for.</param>
public sealed class ContainerNotFoundException(string nameOrId)
    : OciException($"no container with name or ID \"{Printable.Shorten(nameOrId)}\" found: no such container");

/// <summary>The name of a new container is taken.</summary>
/// <param name="name">The name.</param>
/// <param name="holder">The ID of the container that has it.</param>
public sealed class ContainerNameTakenException(string name, string holder) : OciException(
    $"creating container storage: the container name \"{Printable.Shorten(name)}\" is already in use by {holder}. You have to remove that container to be able to reuse that name: that name is already in use");

/// <summary>A running container cannot be removed.</summary>
/// <param name="id">The container.</param>
public sealed class ContainerRunningException(string id) : OciException(
    $"cannot remove container {id} as it is running - running or paused containers cannot be removed without force: container state improper")
{
    /// <inheritdoc/>
    public override int ExitCode => 2;
}
