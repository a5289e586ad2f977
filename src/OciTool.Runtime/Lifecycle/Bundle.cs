using System.Text.Json;
using OciTool.Images;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Lifecycle;

/// <summary>A directory with a container's configuration and its root.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Spec">Its configuration.</param>
/// <param name="Document">The configuration as it is in the file.</param>
/// <remarks>OCI runtime-spec v1.2, bundle.md.</remarks>
public sealed record Bundle(string Path, RuntimeSpec Spec, byte[] Document)
{
    /// <summary>The name of the configuration in a bundle.</summary>
    public const string FileName = "config.json";

    private const int MostBytes = 16 << 20;

    /// <summary>The absolute path of its root.</summary>
    public string Rootfs => System.IO.Path.GetFullPath(Spec.Root!.Path, Path);

    /// <summary>Reads and checks a bundle.</summary>
    /// <param name="path">Its path.</param>
    /// <exception cref="OciException">It is not there, or its configuration is not valid.</exception>
    public static Bundle Load(string path)
    {
        string directory = System.IO.Path.GetFullPath(path);
        string file = System.IO.Path.Join(directory, FileName);
        byte[] document = Read(file, "JSON specification file");
        RuntimeSpec spec = Parse(() => RuntimeSpecReader.ReadConfig(document), file);
        SpecCheck.Validate(spec);
        return new(directory, spec, document);
    }

    /// <summary>Reads the document of a process.</summary>
    /// <param name="path">Its path.</param>
    /// <exception cref="OciException">It is not there, or not valid.</exception>
    public static ProcessSpec LoadProcess(string path)
    {
        byte[] document = Read(path, "process file");
        ProcessSpec process = Parse(() => RuntimeSpecReader.ReadProcess(document), path);
        SpecCheck.Validate(process);
        return process;
    }

    /// <summary>Reads a file, and explains why it cannot be read.</summary>
    public static byte[] Read(string path, string what)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.CanSeek && stream.Length > MostBytes)
            {
                throw new OciException($"{what} {Printable.Shorten(path)} is larger than {MostBytes} bytes");
            }

            using MemoryStream content = new();
            stream.CopyTo(content);
            return content.ToArray();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OciException($"{what} {Printable.Shorten(path)} not found: no such file or directory", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OciException($"{what} {Printable.Shorten(path)}: {Printable.Shorten(e.Message)}", e);
        }
    }

    /// <summary>Parses a document, and explains why it cannot be parsed.</summary>
    public static T Parse<T>(Func<T> parse, string path)
    {
        try
        {
            return parse();
        }
        catch (JsonException e)
        {
            throw new OciException($"{Printable.Shorten(path)}: {Printable.Shorten(e.Message)}", e);
        }
    }
}
