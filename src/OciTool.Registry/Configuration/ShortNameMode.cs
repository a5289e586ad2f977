namespace OciTool.Registry.Configuration;

/// <summary>What happens where a name without a registry may mean several images.</summary>
/// <remarks>containers-registries.conf(5), "Short-Name Aliasing: Modes".</remarks>
internal enum ShortNameMode
{
    /// <summary>The user chooses; without a terminal all are tried in their order.</summary>
    Permissive,

    /// <summary>The user chooses; without a terminal it is an error.</summary>
    Enforcing,

    /// <summary>All are tried in their order.</summary>
    Disabled,
}

/// <summary>The image that a short name stands for.</summary>
/// <param name="Target">A whole name without tag and digest; empty where an earlier alias is taken back.</param>
/// <param name="File">The file that says so.</param>
internal sealed record ShortNameAlias(string Target, string File);
