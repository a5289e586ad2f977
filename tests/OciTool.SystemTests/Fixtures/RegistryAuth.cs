namespace OciTool.SystemTests.Fixtures;

/// <summary>How a registry asks who is there.</summary>
public enum RegistryAuth
{
    /// <summary>Plain HTTP, everybody may read and write.</summary>
    Anonymous,

    /// <summary>Plain HTTP, name and password with each request (RFC 7617).</summary>
    Basic,

    /// <summary>Plain HTTP, a token of a token server that takes name and password.</summary>
    Bearer,

    /// <summary>HTTPS with a certificate of an own authority, everybody may read and write.</summary>
    Tls,

    /// <summary>The same for those who show a certificate of that authority.</summary>
    MutualTls,
}
