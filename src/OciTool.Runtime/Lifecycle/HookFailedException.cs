using OciTool.Images;

namespace OciTool.Runtime.Lifecycle;

/// <summary>A hook could not be executed, failed or took too long.</summary>
public sealed class HookFailedException(string message, Exception? innerException = null) : OciException(message, innerException);
