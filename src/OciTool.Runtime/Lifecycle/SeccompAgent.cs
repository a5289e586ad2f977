using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>The agent that decides on system calls whose action is <c>SCMP_ACT_NOTIFY</c>.</summary>
/// <remarks>OCI runtime-spec v1.2, config-linux.md, "The Container Process State".</remarks>
internal static class SeccompAgent
{
    /// <summary>Gives the agent the listener of a filter.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="listener">The listener; it belongs to this method.</param>
    /// <param name="state">The container's state.</param>
    /// <exception cref="OciException">Nobody listens at the agent's socket.</exception>
    public static void Send(SeccompSpec filter, SafeFileHandle listener, StateSpec state)
    {
        using (listener)
        {
            try
            {
                using ControlSocket agent = ControlSocket.Connect(filter.ListenerPath ?? "");
                agent.Send(
                    JsonSerializer.SerializeToUtf8Bytes(
                        new ContainerProcessState(RuntimeSpec.Version, ["seccompFd"], state.Pid, filter.ListenerMetadata ?? "", state),
                        AgentJson.Default.ContainerProcessState),
                    listener);
            }
            catch (ErrnoException e)
            {
                throw new OciException($"linux.seccomp.listenerPath: {e.Message}", e);
            }
        }
    }
}

/// <summary>What the agent is told.</summary>
internal sealed record ContainerProcessState(string OciVersion, IReadOnlyList<string> Fds, int Pid, string Metadata, StateSpec State);

/// <summary>Writes it without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ContainerProcessState))]
internal sealed partial class AgentJson : JsonSerializerContext;
