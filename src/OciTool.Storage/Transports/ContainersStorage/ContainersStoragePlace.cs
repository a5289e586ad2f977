namespace OciTool.Storage.Transports;

/// <summary>Where a store of podman, buildah or CRI-O lies: containers-storage.conf(5).</summary>
/// <param name="Root">Its directory, <c>graphroot</c>.</param>
/// <param name="Driver">How layers are kept in it; null for what is found there.</param>
/// <param name="Additional">The directories of more stores, which are only read.</param>
public sealed record ContainersStoragePlace(string Root, string? Driver, IReadOnlyList<string> Additional);
