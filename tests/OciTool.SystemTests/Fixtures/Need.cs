using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>What a test needs from the machine: where it is absent the test skips with that reason, and fails in CI.</summary>
public static class Need
{
    private static readonly bool SkipsAreFailures =
        Environment.GetEnvironmentVariable("CI") is "true" or "1"
        || Environment.GetEnvironmentVariable("OCI_TESTS_NO_SKIP") is "1";

    public static void Root() => That(Environment.UserName == "root", "needs root");

    public static void Programs(params string[] names)
    {
        foreach (string name in names)
        {
            That(Find(name) is not null, $"needs the program {name}");
        }
    }

    public static void That(bool isThere, string reason)
    {
        if (isThere)
        {
            return;
        }

        if (SkipsAreFailures)
        {
            Assert.Fail($"this machine may not skip tests, but: {reason}");
        }

        Assert.Skip(reason);
    }

    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
            .Select(directory => Path.Join(directory, program))
            .FirstOrDefault(File.Exists);
}
