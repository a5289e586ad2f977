using System.Reflection;
using OciTool.SystemTests.Fixtures;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace OciTool.SystemTests.Runtime;

/// <summary>A test that every runtime of the machine has to pass: ours, and runc, which shows that the test is right.</summary>
public abstract class RuntimeTest
{
    /// <summary>Names the runtimes to test, with commas between them, where not all of them are wanted.</summary>
    private const string ChoiceVariable = "OCI_TEST_RUNTIMES";

    /// <summary>The runtimes to test by their names.</summary>
    public static TheoryData<string> Runtimes =>
        [.. (Environment.GetEnvironmentVariable(ChoiceVariable) is { Length: > 0 } chosen ? chosen.Split(',') : RuntimeUnderTest.All)];

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Runs a test with a runtime, or, where it is said to differ, demands that the test fails with it.</summary>
    internal static async Task Under(string runtime, Func<RuntimeUnderTest, Task> test)
    {
        string? why = ((IXunitTestMethod)TestContext.Current.TestMethod!).Method.GetCustomAttributes<DiffersAttribute>()
            .SingleOrDefault(differs => differs.Runtime == runtime)?.Why;
        await using RuntimeUnderTest under = RuntimeUnderTest.Called(runtime);
        if (why is null)
        {
            await test(under);
            return;
        }

        Exception? failure = await Record.ExceptionAsync(() => test(under));
        Assert.True(failure is not null, $"{runtime} does what is demanded; yet the test says: {why}");
        if (failure is not IAssertionException)
        {
            throw new InvalidOperationException("a test that is to fail has to fail by an assertion", failure);
        }
    }

    internal static async Task<T> EventuallyAsync<T>(Func<Task<T>> read, Func<T, bool> isWanted)
    {
        for (int round = 0; ; round++)
        {
            T value = await read();
            if (isWanted(value) || round == 500)
            {
                return value;
            }

            await Task.Delay(10, Cancellation);
        }
    }
}
