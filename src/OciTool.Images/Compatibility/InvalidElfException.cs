namespace OciTool.Images.Compatibility;

/// <summary>A file begins as ELF does, and is not: the only failure that reading one has, whatever its bytes are.</summary>
/// <param name="message">What is wrong with which part.</param>
public sealed class InvalidElfException(string message) : OciException(message);
