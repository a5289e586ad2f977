using OciTool.Images;
using OciTool.Images.Compatibility;
using OciTool.Runtime;
using OciTool.Runtime.Spec;
using OciTool.Storage;

namespace OciTool.Cli.Compatibility;

/// <summary>Says why a command could not be executed, from what is in the image; only after it has failed.</summary>
internal static class StartHint
{
    // the checks that explain a failed execve(2), the most telling first
    private static readonly string[] Telling = ["C07", "C06", "C04", "C13", "C08", "C05", "C12"];

    /// <summary>Adds a hint to the failure; whatever goes wrong meanwhile, the failure itself stays as it is.</summary>
    /// <param name="failure">What the run failed by.</param>
    /// <param name="store">The store.</param>
    /// <param name="images">Its images.</param>
    /// <param name="image">The image.</param>
    /// <param name="process">What was executed, and by whom.</param>
    public static OciException Explain(
        ContainerStartException failure, StorageRoot store, ImageStore images, StoredImage image, ProcessSpec? process)
    {
        if (failure.Step != ContainerStartException.ExecuteStep || Find(store, images, image, process) is not { } hint)
        {
            return failure;
        }

        return new ExplainedStartException(failure, hint);
    }

    private static string? Find(StorageRoot store, ImageStore images, StoredImage image, ProcessSpec? process)
    {
        try
        {
            HostFacts host = HostSurvey.Take(store, []);
            ImageFacts facts = LocalCompatibility.Read(images, image, host, process);
            CompatibilityReport report = CompatibilityReport.Make(image.Name ?? "", image.ManifestDocument.Digest, facts, HostSurvey.For(facts, host), TimeProvider.System.GetUtcNow());
            return Telling.Select(id => report.Checks.FirstOrDefault(check => check.Id == id && check.Level == CheckLevel.Fail)).OfType<CheckResult>().FirstOrDefault() is { } check
                ? check.Fix is { } fix ? $"{check.Summary}; {fix}" : check.Summary
                : null;
        }
        catch (Exception e) when (e is OciException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>A container could not be started, and it is known why.</summary>
internal sealed class ExplainedStartException : OciException
{
    /// <summary>Adds a hint.</summary>
    /// <param name="failure">What happened; its message and its status stay.</param>
    /// <param name="hint">Why.</param>
    public ExplainedStartException(ContainerStartException failure, string hint)
        : base(failure.Message, failure)
    {
        ExitCode = failure.ExitCode;
        Hint = hint;
    }

    /// <inheritdoc/>
    public override int ExitCode { get; }
}
