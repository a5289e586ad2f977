namespace OciTool.Runtime.Seccomp;

/// <summary>A compiled filter: what seccomp(2) is called with.</summary>
/// <param name="Program">An array of <c>struct sock_filter</c>, 8 bytes each, at most 4,096 of them.</param>
/// <param name="Flags"><c>SECCOMP_FILTER_FLAG_*</c>; with <paramref name="NeedsListener"/> it has NEW_LISTENER.</param>
/// <param name="NeedsListener">
/// Whether the call returns a descriptor on which an agent decides; it has to reach the socket at <c>listenerPath</c>,
/// and no call of the action NOTIFY returns before the agent answers. write(2) never has that action.
/// </param>
public sealed record SeccompFilter(byte[] Program, uint Flags, bool NeedsListener);
