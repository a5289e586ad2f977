using OciTool.Images;

namespace OciTool.Registry.Configuration;

/// <summary>Where an image is really asked for: at a mirror, or at the place that its own name leads to.</summary>
/// <param name="Reference">The name there.</param>
/// <param name="IsInsecure">Whether plain HTTP and unknown certificates will do; null when no file says so.</param>
internal sealed record PullSource(Reference Reference, bool? IsInsecure);
