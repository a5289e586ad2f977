namespace OciTool.Fuzz.Targets;

/// <summary>Code that must cope with any bytes.</summary>
internal interface IFuzzTarget
{
    /// <summary>Its name on the command line.</summary>
    string Name { get; }

    /// <summary>The name of its corpus: <c>tar</c> where inputs are tar archives, whose headers have checksums.</summary>
    string Corpus { get; }

    /// <summary>Runs the code; any exception that comes out of this is a defect.</summary>
    void Run(byte[] input);
}

/// <summary>The code did not fail, but what it did is wrong.</summary>
internal sealed class WrongException(string message) : Exception(message);

/// <summary>All targets.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } = [new TarTarget(), new FramingTarget(), new ErofsTarget()];

    public static void Demand(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new WrongException(otherwise);
        }
    }
}
