using Microsoft.Extensions.Logging;
using OciTool.Registry.Configuration;

namespace OciTool.Registry;

/// <summary>What one command brings for all its connections to registries.</summary>
/// <param name="Options">How to talk to them.</param>
/// <param name="Loggers">Makes the loggers.</param>
/// <param name="Time">The clock of retries, tokens and timeouts.</param>
/// <param name="Warn">Takes a line that the user should see at once, for example that a request is repeated.</param>
public sealed record RegistryContext(RegistryOptions Options, ILoggerFactory Loggers, TimeProvider Time, Action<string> Warn)
{
    /// <summary>The configuration; its files are read when it is first asked for.</summary>
    public RegistriesConf Registries
    {
        get => field ??= RegistriesConf.Read(Options, Warn);
        init;
    }
}
