using System.Buffers;
using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Storage.Erofs;

/// <summary>The file that a layer becomes: written from its start to its end, with a few places filled in later.</summary>
/// <remarks>
/// Data lie in whole blocks. Inodes, with the last part of their data, are packed into blocks between them, one of which
/// is open at any time and held in memory; nothing else of the file is. Runs of zeros become holes.
/// </remarks>
internal sealed class ErofsOutput : IDisposable
{
    private const int WindowSize = 512 * 1024;
    private const int LongZeros = 64 * 1024;

    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly OutputThread _thread;
    private readonly byte[] _packed = new byte[ErofsFormat.BlockSize];
    private byte[] _window = ArrayPool<byte>.Shared.Rent(WindowSize);
    private long _windowStart;
    private int _windowLength;
    private long _packedStart = -1;
    private int _packedLength;

    /// <summary>Starts to write.</summary>
    /// <param name="file">An empty file, which is closed with this.</param>
    /// <param name="path">Its path, for errors.</param>
    public ErofsOutput(SafeFileHandle file, string path)
    {
        _file = file;
        _path = path;
        _thread = new OutputThread(file, path);
    }

    /// <summary>Where the next appended byte goes; between two pieces of data it is the start of a block.</summary>
    public long Position => _windowStart + _windowLength;

    /// <summary>How much of the open block of inodes is free.</summary>
    public int PackedRoom => _packedStart < 0 ? 0 : ErofsFormat.BlockSize - _packedLength;

    /// <summary>Appends bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, WindowSize - _windowLength);
            bytes[..count].CopyTo(_window.AsSpan(_windowLength));
            _windowLength += count;
            bytes = bytes[count..];
            if (_windowLength == WindowSize)
            {
                SendWindow();
            }
        }
    }

    /// <summary>Appends zeros; where they are many, the file gets a hole.</summary>
    public void AppendZeros(long count)
    {
        if (count >= LongZeros)
        {
            int padding = (int)(-Position & (ErofsFormat.BlockSize - 1)); // a window begins where a block does
            AppendZeros(padding);
            SendWindow();
            long hole = (count - padding) & -ErofsFormat.BlockSize;
            _windowStart += hole;
            count -= padding + hole;
        }

        while (count > 0)
        {
            int part = (int)Math.Min(count, WindowSize - _windowLength);
            _window.AsSpan(_windowLength, part).Clear();
            _windowLength += part;
            count -= part;
            if (_windowLength == WindowSize)
            {
                SendWindow();
            }
        }
    }

    /// <summary>Appends zeros up to the end of the block.</summary>
    public void AppendPadding() => AppendZeros(-Position & (ErofsFormat.BlockSize - 1));

    /// <summary>Places an inode, with what follows it, where it crosses no end of a block unless it is longer than one.</summary>
    /// <returns>Its offset.</returns>
    public long Pack(ReadOnlySpan<byte> inode)
    {
        if (inode.Length > ErofsFormat.BlockSize)
        {
            long start = Position;
            Append(inode);
            AppendPadding();
            return start;
        }

        if (inode.Length > PackedRoom)
        {
            ClosePacked();
            _packedStart = Position;
            AppendZeros(ErofsFormat.BlockSize);
        }

        long offset = _packedStart + _packedLength;
        inode.CopyTo(_packed.AsSpan(_packedLength));
        _packedLength = Math.Min((_packedLength + inode.Length + ErofsFormat.InodeUnit - 1) & -ErofsFormat.InodeUnit, ErofsFormat.BlockSize);
        return offset;
    }

    /// <summary>Replaces bytes that were written before.</summary>
    /// <param name="offset">Where the first lies.</param>
    /// <param name="bytes">The new ones; they cross no end of a block.</param>
    public void Replace(long offset, ReadOnlySpan<byte> bytes)
    {
        if (_packedStart >= 0 && offset >= _packedStart && offset < _packedStart + ErofsFormat.BlockSize)
        {
            bytes.CopyTo(_packed.AsSpan((int)(offset - _packedStart)));
        }
        else
        {
            ReplaceWritten(offset, bytes);
        }
    }

    /// <summary>Reads bytes that were written before.</summary>
    /// <param name="offset">Where the first lies.</param>
    /// <param name="bytes">Filled; what is read crosses no end of a block.</param>
    public void Read(long offset, Span<byte> bytes)
    {
        if (_packedStart >= 0 && offset >= _packedStart && offset < _packedStart + ErofsFormat.BlockSize)
        {
            _packed.AsSpan((int)(offset - _packedStart), bytes.Length).CopyTo(bytes);
        }
        else if (offset >= _windowStart)
        {
            _window.AsSpan((int)(offset - _windowStart), bytes.Length).CopyTo(bytes);
        }
        else
        {
            _thread.Wait();
            bytes.Clear(); // what lies behind the end of the file so far is zero
            for (int count = 0, part = 1; count < bytes.Length && part > 0; count += part)
            {
                part = RandomAccess.Read(_file, bytes[count..], offset + count);
            }
        }
    }

    /// <summary>Closes the open block of inodes, so that what follows it can be laid out at will.</summary>
    public void ClosePacked()
    {
        if (_packedStart >= 0)
        {
            ReplaceWritten(_packedStart, _packed);
            _packed.AsSpan().Clear();
            _packedStart = -1;
            _packedLength = 0;
        }
    }

    /// <summary>Writes all that is left, then the first block.</summary>
    /// <param name="firstBlock">The block with the superblock: without it the file is nothing.</param>
    /// <exception cref="IOException">Something could not be written.</exception>
    public void Finish(ReadOnlySpan<byte> firstBlock)
    {
        ClosePacked();
        long length = Position;
        SendWindow();
        _thread.Wait();
        Descriptors.SetLength(_file, length, _path);
        Descriptors.WriteAt(_file, firstBlock, 0, _path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _thread.Dispose();
        ArrayPool<byte>.Shared.Return(_window);
        _file.Dispose();
    }

    private void ReplaceWritten(long offset, ReadOnlySpan<byte> bytes)
    {
        // windows begin where blocks do, so the bytes of one block are whole in it or not at all
        if (offset >= _windowStart)
        {
            bytes.CopyTo(_window.AsSpan((int)(offset - _windowStart)));
            return;
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(copy);
        _thread.Send(new(offset, copy, bytes.Length));
    }

    private void SendWindow()
    {
        if (_windowLength > 0)
        {
            OutputPiece piece = new(_windowStart, _window, _windowLength);
            _window = ArrayPool<byte>.Shared.Rent(WindowSize); // first: what is sent is not ours any more, also when sending fails
            _windowStart += _windowLength;
            _windowLength = 0;
            _thread.Send(piece);
        }
    }
}
