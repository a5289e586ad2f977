namespace OciTool.Images;

/// <summary>An expected failure that the user can act on: its message is printed, its stack trace is not.</summary>
/// <remarks>Anything else that reaches <c>Program</c> is a defect in this tool and is reported as one.</remarks>
public class OciException : Exception
{
    /// <summary>Creates a failure.</summary>
    /// <param name="message">What failed, on which object and why: lower case, without a full stop.</param>
    /// <param name="innerException">The cause, when another failure led to this one.</param>
    public OciException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The status that the process exits with: 125 unless a derived failure says otherwise.</summary>
    public virtual int ExitCode => 125;

    /// <summary>The way out, printed on a line of its own behind <c>Hint:</c>, where there is one.</summary>
    public string? Hint { get; init; }
}

/// <summary>A document is not what its media type says, or breaks a rule of its specification.</summary>
public sealed class InvalidDocumentException(string message, Exception? innerException = null)
    : OciException(message, innerException);

/// <summary>Content did not match the descriptor that named it.</summary>
public sealed class ContentMismatchException(Descriptor expected, string actual)
    : OciException($"blob {expected.Digest}: expected {expected.Size} bytes with that digest, got {actual}")
{
    /// <summary>The descriptor that the content was fetched by.</summary>
    public Descriptor Expected { get; } = expected;
}
