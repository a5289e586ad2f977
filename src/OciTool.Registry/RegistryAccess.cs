namespace OciTool.Registry;

/// <summary>What is to be done with a repository: what a token is asked for.</summary>
/// <remarks>distribution, "Docker Registry v2 authentication", section "Resource Actions".</remarks>
[Flags]
public enum RegistryAccess
{
    /// <summary>Nothing but being known.</summary>
    None = 0,

    /// <summary>Reading manifests, blobs, tags and referrers.</summary>
    Pull = 1,

    /// <summary>Writing manifests and blobs.</summary>
    Push = 2,

    /// <summary>Deleting manifests.</summary>
    Delete = 4,
}
