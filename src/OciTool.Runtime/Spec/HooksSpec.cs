namespace OciTool.Runtime.Spec;

/// <summary>Programs that are run at points of the container's life.</summary>
/// <remarks>OCI runtime-spec v1.2, config.md, "POSIX-platform Hooks".</remarks>
public sealed record HooksSpec
{
    /// <summary>Of old, the same as <see cref="CreateRuntime"/>, and before it.</summary>
    public IReadOnlyList<HookSpec>? Prestart { get; init; }

    /// <summary>In the runtime's namespaces, once the container's are there, before its root becomes the root.</summary>
    public IReadOnlyList<HookSpec>? CreateRuntime { get; init; }

    /// <summary>In the container's namespaces, before its root becomes the root.</summary>
    public IReadOnlyList<HookSpec>? CreateContainer { get; init; }

    /// <summary>In the container, before its process is executed.</summary>
    public IReadOnlyList<HookSpec>? StartContainer { get; init; }

    /// <summary>In the runtime's namespaces, once its process was started.</summary>
    public IReadOnlyList<HookSpec>? Poststart { get; init; }

    /// <summary>In the runtime's namespaces, once it was deleted.</summary>
    public IReadOnlyList<HookSpec>? Poststop { get; init; }
}

/// <summary>A program that is run at a point of the container's life.</summary>
/// <param name="Path">Its path; absolute.</param>
public sealed record HookSpec(string Path)
{
    /// <summary>Its arguments, with its name first; the path alone where absent.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Its environment, as <c>NAME=value</c>; nothing else.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>How long it may take, in seconds.</summary>
    public int? Timeout { get; init; }
}
