using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OciTool.Cli.ContainerRuntime;

/// <summary>The file that an engine reads after a failure: one line, for some read the whole of it as one object.</summary>
internal static class RuntimeLog
{
    /// <summary>Adds an error.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isJson">Whether the line is JSON, or as logrus writes it.</param>
    /// <param name="text">The error.</param>
    public static void Append(string path, bool isJson, string text)
    {
        string time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        StringBuilder line = new();
        if (isJson)
        {
            line.Append("{\"level\":\"error\",\"msg\":\"").Append(JsonEncodedText.Encode(text)).Append("\",\"time\":\"").Append(time).Append("\"}\n");
        }
        else
        {
            line.Append("time=\"").Append(time).Append("\" level=error msg=\"")
                .Append(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append("\"\n");
        }

        using FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.Write(Encoding.UTF8.GetBytes(line.ToString()));
    }
}
