namespace OciTool.Runtime.Spec;

/// <summary>The state of a container, as <c>state</c> prints it and hooks get it.</summary>
/// <param name="OciVersion">The version of the runtime-spec that the document follows.</param>
/// <param name="Id">The container's ID.</param>
/// <param name="Status"><c>creating</c>, <c>created</c>, <c>running</c>, <c>paused</c> or <c>stopped</c>.</param>
/// <param name="Pid">The first process as the host numbers it; 0 when there is none.</param>
/// <param name="Bundle">The absolute path of its bundle.</param>
/// <remarks>OCI runtime-spec v1.2, runtime.md, "State". <see cref="Rootfs"/>, <see cref="Created"/> and <see cref="Owner"/> are runc's.</remarks>
public sealed record StateSpec(string OciVersion, string Id, string Status, int Pid, string Bundle)
{
    /// <summary>The absolute path of its root.</summary>
    public string? Rootfs { get; init; }

    /// <summary>When it was created.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Who owns it; empty for root.</summary>
    public string? Owner { get; init; }

    /// <summary>The annotations of its configuration.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
