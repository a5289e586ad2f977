using System.Buffers;
using Microsoft.Win32.SafeHandles;
using OciTool.Linux;

namespace OciTool.Storage.Erofs;

/// <summary>A piece of a file that is to be written.</summary>
/// <param name="Offset">Where it goes.</param>
/// <param name="Buffer">A rented buffer, which goes back to the pool.</param>
/// <param name="Length">How much of it is meant.</param>
internal readonly record struct OutputPiece(long Offset, byte[] Buffer, int Length);

/// <summary>Writes a file's pieces one after the other, beside the thread that makes them, a few pieces behind it at most.</summary>
/// <remarks>A small layer is one piece or two, which are written by who sends them: a thread would cost more.</remarks>
/// <param name="file">The file; it stays open.</param>
/// <param name="path">Its path, for errors.</param>
internal sealed class OutputThread(SafeFileHandle file, string path) : IDisposable
{
    private const int Ahead = 3;
    private const int ZeroRun = 32 * 1024;

    private readonly Queue<OutputPiece> _pieces = new();
    private readonly FileWriteBack _writeBack = new(file, path);
    private Thread? _thread;
    private Exception? _failure;
    private bool _stop;
    private bool _busy;
    private int _sent;

    /// <summary>Takes a piece, and waits while too many are waiting.</summary>
    /// <exception cref="IOException">An earlier piece could not be written.</exception>
    public void Send(OutputPiece piece)
    {
        if (_thread is null && _sent++ < 2)
        {
            Write(piece);
            return;
        }

        lock (_pieces)
        {
            _thread ??= Start();
            while (_pieces.Count >= Ahead && _failure is null)
            {
                Monitor.Wait(_pieces);
            }

            _pieces.Enqueue(piece);
            Monitor.PulseAll(_pieces);
        }

        ThrowIfFailed();
    }

    /// <summary>Waits until all pieces are written.</summary>
    /// <exception cref="IOException">One could not be written.</exception>
    public void Wait()
    {
        lock (_pieces)
        {
            while ((_pieces.Count > 0 || _busy) && _failure is null)
            {
                Monitor.Wait(_pieces);
            }
        }

        ThrowIfFailed();
        _writeBack.CompleteAsync().GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_pieces)
        {
            _stop = true;
            Monitor.PulseAll(_pieces);
        }

        _thread?.Join();
        while (_pieces.TryDequeue(out OutputPiece piece))
        {
            ArrayPool<byte>.Shared.Return(piece.Buffer);
        }
    }

    private Thread Start()
    {
        Thread thread = new(Run) { IsBackground = true, Name = "layer output" };
        thread.Start();
        return thread;
    }

    private void Run()
    {
        try
        {
            while (Take(out OutputPiece piece))
            {
                Write(piece);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            lock (_pieces)
            {
                _failure = e;
                Monitor.PulseAll(_pieces);
            }
        }
    }

    private bool Take(out OutputPiece piece)
    {
        lock (_pieces)
        {
            _busy = false;
            Monitor.PulseAll(_pieces);
            while (_pieces.Count == 0 && !_stop)
            {
                Monitor.Wait(_pieces);
            }

            piece = default;
            _busy = !_stop && _pieces.TryDequeue(out piece);
            Monitor.PulseAll(_pieces);
            return _busy;
        }
    }

    private void Write(OutputPiece piece)
    {
        try
        {
            ReadOnlySpan<byte> rest = piece.Buffer.AsSpan(0, piece.Length);
            long offset = piece.Offset;
            while (!rest.IsEmpty)
            {
                int zeros = Leading(rest, zero: true);
                int data = Leading(rest[zeros..], zero: false);
                if (data > 0)
                {
                    Descriptors.WriteAt(file, rest.Slice(zeros, data), offset + zeros, path);
                }

                offset += zeros + data;
                rest = rest[(zeros + data)..];
            }

            _writeBack.WrittenTo(piece.Offset + piece.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece.Buffer);
        }
    }

    /// <summary>How many bytes at the start are in whole runs that are all zero, or in runs that are not.</summary>
    private static int Leading(ReadOnlySpan<byte> bytes, bool zero)
    {
        int length = 0;
        while (length < bytes.Length)
        {
            ReadOnlySpan<byte> run = bytes.Slice(length, Math.Min(ZeroRun, bytes.Length - length));
            bool isZero = run.Length == ZeroRun && !run.ContainsAnyExcept((byte)0);
            if (isZero != zero)
            {
                break;
            }

            length += run.Length;
        }

        return length;
    }

    private void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw new IOException(_failure.Message, _failure) { HResult = _failure.HResult };
        }
    }
}
