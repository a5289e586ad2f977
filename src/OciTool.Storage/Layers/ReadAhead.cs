using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;

namespace OciTool.Storage.Layers;

/// <summary>Reads a stream ahead on a thread of its own, and hashes what passes.</summary>
/// <remarks>
/// A ring of buffers with three positions: filled, hashed, read. Whoever would have to wait hashes instead: the reader
/// while decompression is what takes long, the thread while the disk is. So the hash costs time only where nobody has
/// any, and two threads are enough for three tasks.
/// </remarks>
[SuppressMessage("Usage", "CA2213", Justification = "source and hash are the caller's")]
internal sealed class ReadAhead : IDisposable
{
    private const int BufferSize = 256 << 10;
    private const int Buffers = 8;

    private readonly object _gate = new();
    private readonly Stream _source;
    private readonly IncrementalHash _hash;
    private readonly byte[]?[] _buffers = new byte[]?[Buffers];
    private readonly int[] _lengths = new int[Buffers];
    private readonly Thread _thread;
    private long _filled;
    private long _hashed;
    private long _read;
    private int _offset;
    private bool _isHashing;
    private bool _ended;
    private bool _abandoned;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts to read.</summary>
    /// <param name="source">The stream; only the thread reads it from now on.</param>
    /// <param name="hash">Takes what passes; nobody else may use it before <see cref="FinishHash"/>.</param>
    public ReadAhead(Stream source, IncrementalHash hash)
    {
        _source = source;
        _hash = hash;
        _thread = new Thread(Fill) { IsBackground = true, Name = "read ahead" };
        _thread.Start();
    }

    /// <summary>Whether the thread reads no more.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _ended;
            }
        }
    }

    /// <inheritdoc cref="Stream.Read(Span{byte})"/>
    /// <remarks>What the thread failed with is thrown behind the bytes that came before it.</remarks>
    public int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || !WaitForContent())
        {
            return 0;
        }

        int slot = (int)(_read % Buffers);
        int count = Math.Min(buffer.Length, _lengths[slot] - _offset);
        _buffers[slot].AsSpan(_offset, count).CopyTo(buffer);
        _offset += count;
        if (_offset == _lengths[slot])
        {
            lock (_gate)
            {
                _offset = 0;
                _read++;
                Monitor.Pulse(_gate);
            }
        }

        return count;
    }

    /// <summary>Hashes what is left; call it at the stream's end.</summary>
    public void FinishHash()
    {
        lock (_gate)
        {
            while (_hashed < _filled)
            {
                HashOrWait();
            }
        }
    }

    /// <summary>Ends the thread: a read of the source that waits must have been ended before.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _abandoned = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
        foreach (byte[]? buffer in _buffers)
        {
            if (buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "thrown again where the bytes are read")]
    private void Fill()
    {
        try
        {
            while (WaitForRoom() && FillOne())
            {
                // the next buffer
            }
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }

        lock (_gate)
        {
            _ended = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <returns>False at the stream's end.</returns>
    private bool FillOne()
    {
        int slot = (int)(_filled % Buffers);
        byte[] buffer = _buffers[slot] ??= ArrayPool<byte>.Shared.Rent(BufferSize);
        int length = 0;
        int count = -1;
        try
        {
            while (length < BufferSize && count != 0)
            {
                count = _source.Read(buffer, length, BufferSize - length);
                length += count;
            }
        }
        finally
        {
            if (length > 0)
            {
                lock (_gate)
                {
                    _lengths[slot] = length;
                    _filled++;
                    Monitor.Pulse(_gate);
                }
            }
        }

        return count != 0;
    }

    private bool WaitForRoom()
    {
        lock (_gate)
        {
            while (!_abandoned && _filled - Math.Min(_hashed, _read) == Buffers)
            {
                HashOrWait();
            }

            return !_abandoned;
        }
    }

    private bool WaitForContent()
    {
        lock (_gate)
        {
            while (_read == _filled && !_ended)
            {
                HashOrWait();
            }

            if (_read == _filled)
            {
                _failure?.Throw();
            }

            return _read < _filled;
        }
    }

    /// <summary>Hashes one buffer outside the gate, which is held; waits for the other thread where there is none.</summary>
    private void HashOrWait()
    {
        if (_isHashing || _hashed == _filled)
        {
            Monitor.Wait(_gate);
            return;
        }

        int slot = (int)(_hashed % Buffers);
        _isHashing = true;
        Monitor.Exit(_gate);
        try
        {
            _hash.AppendData(_buffers[slot]!, 0, _lengths[slot]);
        }
        finally
        {
            Monitor.Enter(_gate);
            _isHashing = false;
            _hashed++;
            Monitor.Pulse(_gate);
        }
    }
}
