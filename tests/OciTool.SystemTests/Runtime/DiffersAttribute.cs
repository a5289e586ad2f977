namespace OciTool.SystemTests.Runtime;

/// <summary>Says that a runtime does otherwise than the test demands. The test then has to fail with it, so that a wrong remark shows.</summary>
internal abstract class DiffersAttribute(string runtime, string why) : Attribute
{
    /// <summary>The runtime's name, as <see cref="RuntimeUnderTest"/> knows it.</summary>
    public string Runtime { get; } = runtime;

    /// <summary>What it does instead.</summary>
    public string Why { get; } = why;
}

/// <summary>runc 1.1 does otherwise.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RuncDiffersAttribute(string why) : DiffersAttribute(RuntimeUnderTest.Runc, why);

/// <summary>Our own runtime does otherwise.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OciDiffersAttribute(string why) : DiffersAttribute(RuntimeUnderTest.OciRuntime, why);
