using System.CommandLine;
using OciTool.Images;

namespace OciTool.Cli.Commands;

/// <summary>The options that change what is copied.</summary>
internal sealed class ConversionFlags
{
    private readonly Option<string?> _format = new("--format", "-f")
    {
        Description = "Manifest type (oci or v2s2) to use in the destination (default is manifest type of source)",
        HelpName = "string",
    };

    private readonly Option<string?> _compression = new("--compression-format")
    {
        Description = "Compression format to use (gzip or zstd; default is that of the source)",
        HelpName = "string",
    };

    private readonly Option<int?> _level = new("--compression-level")
    {
        Description = "Compression level to use (gzip: 0-9, zstd: 1-22)",
        HelpName = "int",
    };

    private readonly Option<bool> _force = new("--force-compression")
    {
        Description = "Use the compression format even where the destination has the layer in another (always so)",
    };

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    public ConversionFlags(Command verb)
    {
        verb.Add(_format);
        verb.Add(_compression);
        verb.Add(_level);
        verb.Add(_force);
    }

    /// <summary>What is to change, and how hard to compress.</summary>
    /// <exception cref="UsageException">A value is none, or the two do not fit.</exception>
    public (ImageConversion Conversion, int? Level) Read(ParseResult command, bool preserveDigests = false)
    {
        ManifestFormat? format = command.GetValue(_format) switch
        {
            null => null,
            "oci" => ManifestFormat.Oci,
            "v2s2" or "docker" => ManifestFormat.Docker,
            "v2s1" => throw new UsageException("the format v2s1 is not supported: Docker schema 1 cannot be written"),
            var other => throw new UsageException($"unknown format '{Printable.Shorten(other)}', choose from: oci, v2s2"),
        };
        LayerCompression? compression = command.GetValue(_compression) switch
        {
            null => null,
            "gzip" => LayerCompression.Gzip,
            "zstd" => LayerCompression.Zstd,
            "zstd:chunked" => throw new UsageException("the compression format zstd:chunked is not supported, choose from: gzip, zstd"),
            var other => throw new UsageException($"unknown compression format '{Printable.Shorten(other)}', choose from: gzip, zstd"),
        };
        int? level = command.GetValue(_level);
        int most = compression == LayerCompression.Zstd ? 22 : 9;
        if (level is { } wanted && (compression is null || wanted < (compression == LayerCompression.Zstd ? 1 : 0) || wanted > most))
        {
            throw new UsageException(compression is null
                ? "--compression-level needs --compression-format"
                : $"compression level {wanted} is out of range: gzip has 0 to 9, zstd 1 to 22");
        }

        return format == ManifestFormat.Docker && compression == LayerCompression.Zstd
            ? throw new UsageException("v2s2 does not know zstd compression: use --format oci, or --compression-format gzip")
            : (new ImageConversion(format, compression, preserveDigests), level);
    }
}
