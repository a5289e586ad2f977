namespace OciTool.SystemTests.Interop;

/// <summary>Where an image lies between two tools: in what form, and how the form is addressed.</summary>
/// <param name="Form">For example <c>registry-zstd</c> or <c>oci-archive</c>.</param>
/// <param name="Path">The repository, file, directory or name.</param>
internal sealed record Place(string Form, string Path)
{
    public const string Tag = "interop";

    public bool IsRegistry => Form.StartsWith("registry-", StringComparison.Ordinal);

    /// <summary>As containers-transports(5) writes it.</summary>
    public string Transport => Form switch
    {
        "docker-archive" => $"docker-archive:{Path}:localhost/{Tag}:1",
        "oci-archive" => $"oci-archive:{Path}:{Tag}",
        "oci-layout" => $"oci:{Path}:{Tag}",
        "dir" => $"dir:{Path}",
        "docker-daemon" => $"docker-daemon:{Path}",
        "containers-storage" => $"containers-storage:{Path}",
        _ => $"docker://{Path}",
    };

    /// <summary>The options of podman's and buildah's push.</summary>
    public string[] PushOptions => Form switch
    {
        "registry-oci" => ["--format", "oci"],
        "registry-schema2" => ["--format", "v2s2"],
        "registry-zstd" => ["--format", "oci", "--compression-format", "zstd"],
        _ => [],
    };
}
