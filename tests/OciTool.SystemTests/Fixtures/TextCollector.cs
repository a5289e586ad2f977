using System.Text;
using Xunit;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Drains a stream into memory and wakes those who wait for a text in it.</summary>
internal sealed class TextCollector
{
    private readonly StringBuilder _text = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TextCollector(TextReader reader) => Completion = DrainAsync(reader);

    /// <summary>Ends when the stream does.</summary>
    public Task Completion { get; }

    public string Text
    {
        get
        {
            lock (_lock)
            {
                return _text.ToString();
            }
        }
    }

    public async Task<string> HasAsync(string wanted, Func<string> describe)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Shell.Patience);
        while (true)
        {
            string text;
            Task more;
            lock (_lock)
            {
                text = _text.ToString();
                more = _more.Task;
            }

            if (text.Contains(wanted, StringComparison.Ordinal))
            {
                return text;
            }

            try
            {
                Assert.False(Completion.IsCompleted && text == Text, $"ended without '{wanted}': {describe()}");
                await Task.WhenAny(more, Completion).WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"no '{wanted}' after {Shell.Patience}: {describe()}");
            }
        }
    }

    private async Task DrainAsync(TextReader reader)
    {
        char[] buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer)) > 0)
        {
            TaskCompletionSource woken;
            lock (_lock)
            {
                _text.Append(buffer, 0, read);
                woken = _more;
                _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            woken.SetResult();
        }
    }
}
