using System.Globalization;
using System.Text;
using OciTool.Images;

namespace OciTool.Storage.Transports;

/// <summary>Writes files to a tar archive (ustar, PAX where a name is long) that depends on nothing but its content.</summary>
/// <param name="output">Where to; it is not sought in.</param>
/// <param name="modified">The time of every entry, in seconds since 1970.</param>
internal sealed class TarFileWriter(Stream output, long modified)
{
    private const int BlockSize = 512;

    private readonly HashSet<string> _directories = [];

    /// <summary>Writes one file, its directories first.</summary>
    /// <param name="path">A clean relative path.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="write">Writes exactly as many bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task WriteAsync(string path, long size, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (_directories.Add(path[..slash]))
            {
                await output.WriteAsync(Header($"{path[..slash]}/", '5', 0, 0x1ed), cancellationToken);
            }
        }

        if (path.Length > 100)
        {
            byte[] record = Record($"path={path}\n");
            await output.WriteAsync(Header("PaxHeaders/name", 'x', record.Length, 0x1a4), cancellationToken);
            await output.WriteAsync(record, cancellationToken);
            await PadAsync(record.Length, cancellationToken);
        }

        await output.WriteAsync(Header(path.Length > 100 ? path[^100..] : path, '0', size, 0x1a4), cancellationToken);
        await write(output);
        await PadAsync(size, cancellationToken);
    }

    /// <summary>Writes the end of the archive.</summary>
    internal async Task FinishAsync(CancellationToken cancellationToken)
    {
        await output.WriteAsync(new byte[2 * BlockSize], cancellationToken);
        await output.FlushAsync(cancellationToken);
    }

    private static byte[] Record(string text)
    {
        int length = text.Length + 2;
        while (length != text.Length + 1 + length.ToString(CultureInfo.InvariantCulture).Length)
        {
            length++;
        }

        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {text}"));
    }

    private async Task PadAsync(long size, CancellationToken cancellationToken) =>
        await output.WriteAsync(new byte[(int)(-size & (BlockSize - 1))], cancellationToken);

    private byte[] Header(string name, char type, long size, int mode)
    {
        byte[] header = new byte[BlockSize];
        Encoding.ASCII.GetBytes(name, header);
        Number(header.AsSpan(100, 8), mode);
        Number(header.AsSpan(108, 8), 0);
        Number(header.AsSpan(116, 8), 0);
        Number(header.AsSpan(124, 12), size);
        Number(header.AsSpan(136, 12), modified);
        header[156] = (byte)type;
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        Number(header.AsSpan(329, 8), 0);
        Number(header.AsSpan(337, 8), 0);
        header.AsSpan(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte part in header)
        {
            sum += part;
        }

        Number(header.AsSpan(148, 7), sum);
        return header;
    }

    // octal digits; base 256 where they are too many, as GNU tar and Go do
    private static void Number(Span<byte> field, long value)
    {
        string octal = Convert.ToString(value, 8);
        if (octal.Length < field.Length)
        {
            field.Clear();
            Encoding.ASCII.GetBytes(octal.PadLeft(field.Length - 1, '0'), field);
            return;
        }

        for (int i = field.Length - 1; i >= 0; i--, value >>= 8)
        {
            field[i] = (byte)value;
        }

        field[0] |= 0x80;
    }
}
