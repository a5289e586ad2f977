using System.Text.Json;
using OciTool.Images;

namespace OciTool.Runtime;

/// <summary>Puts together what a container executes.</summary>
/// <remarks>OCI image-spec v1.1, config.md, <c>Entrypoint</c> and <c>Cmd</c>, with podman's rules for the flags.</remarks>
public static class ContainerCommand
{
    /// <summary>Parses the value of <c>--entrypoint</c>: a JSON array of strings, else one word; empty clears it.</summary>
    public static IReadOnlyList<string> ParseEntrypoint(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        return text[0] == '[' && TryParseArray(text, out List<string> words) ? words : [text];
    }

    /// <summary>The program and its arguments.</summary>
    /// <exception cref="OciException">Neither the user nor the image names a program.</exception>
    internal static IReadOnlyList<string> Resolve(ExecutionConfig? image, RunOptions options)
    {
        // an entrypoint of the user's makes the image's Cmd meaningless: those were arguments for another program
        IReadOnlyList<string> entrypoint = options.Entrypoint ?? image?.Entrypoint ?? [];
        IReadOnlyList<string> command =
            options.Command.Count > 0 ? options.Command : options.Entrypoint is null ? image?.Cmd ?? [] : [];
        string[] arguments = [.. entrypoint, .. command];
        if (arguments.Length == 0)
        {
            throw new OciException("no command or entrypoint provided, and no CMD or ENTRYPOINT from image")
            {
                Hint = "name a command behind the image",
            };
        }

        foreach (string argument in arguments)
        {
            if (argument.Contains('\0', StringComparison.Ordinal))
            {
                throw new OciException($"command argument '{Printable.Shorten(argument)}' contains a NUL byte");
            }
        }

        return arguments;
    }

    private static bool TryParseArray(string text, out List<string> words)
    {
        words = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonElement element in document.RootElement.EnumerateArray())
            {
                if (element.ValueKind != JsonValueKind.String)
                {
                    return false;
                }

                words.Add(element.GetString()!);
            }

            return true;
        }
        catch (JsonException)
        {
            return false; // then it is the name of a program
        }
    }
}
