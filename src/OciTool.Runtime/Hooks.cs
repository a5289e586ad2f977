using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Lifecycle;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime;

/// <summary>Runs the programs that belong to a point of a container's life.</summary>
/// <remarks>OCI runtime-spec v1.2, config.md, "POSIX-platform Hooks": in order, the state on standard input.</remarks>
internal static class Hooks
{
    /// <summary>Runs hooks, one after the other, up to the first that fails.</summary>
    /// <param name="kind">For example <c>prestart</c>.</param>
    /// <param name="hooks">The hooks.</param>
    /// <param name="state">The container's state as JSON.</param>
    /// <exception cref="HookFailedException">One cannot be executed, fails or takes too long.</exception>
    public static void Run(string kind, IReadOnlyList<HookSpec> hooks, ReadOnlySpan<byte> state)
    {
        for (int i = 0; i < hooks.Count; i++)
        {
            HookSpec hook = hooks[i];
            string[] arguments = hook.Args is { Count: > 0 } ? [.. hook.Args] : [hook.Path];
            string name = $"error running {kind} hook #{i}: {Printable.Shorten(hook.Path)}";
            try
            {
                using ProgramProcess program = ProgramProcess.Start(hook.Path, arguments, [.. hook.Env ?? []], state);
                int? status = program.Wait(hook.Timeout is { } seconds ? seconds * 1000 : -1);
                if (status != 0)
                {
                    throw new HookFailedException(status is null
                        ? $"{name}: still running after {hook.Timeout} s"
                        : $"{name}: exit status {status}, output: {Printable.Escape(program.ReadOutput().Trim())}");
                }
            }
            catch (ErrnoException e)
            {
                throw new HookFailedException($"{name}: {e.Message}", e);
            }
        }
    }
}
