using System.Globalization;
using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage;

/// <summary>The disk, the quota or the limit for files has no room for what is to be written.</summary>
internal sealed class StoreFullException : OciException
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>Describes a failure of writing.</summary>
    /// <param name="cause">The failure: <see cref="IsCausedBy"/>.</param>
    /// <param name="what">What was written, for example a layer.</param>
    /// <param name="needed">About how many bytes were still to be written.</param>
    /// <param name="free">How many were free then.</param>
    internal StoreFullException(Exception cause, string what, long needed, long free)
        : this(ErrnoOf(cause) ?? Errno.ENOSPC, what, needed, free, cause)
    {
    }

    /// <summary>Says before anything is written that there is no room for it.</summary>
    internal StoreFullException(string what, long needed, long free)
        : this(Errno.ENOSPC, what, needed, free, cause: null)
    {
    }

    private StoreFullException(Errno errno, string what, long needed, long free, Exception? cause)
        : base(Describe(errno, what, Format(needed), Format(free)), cause) => Hint = errno switch
        {
            Errno.EFBIG => "raise the limit for the size of files: ulimit -f",
            Errno.EDQUOT => "raise the quota, or remove images that are not needed: oci rmi",
            _ => "make room, for example by removing images that are not needed: oci rmi; what has arrived is kept",
        };

    /// <summary>Whether a failure of writing has one of these causes.</summary>
    internal static bool IsCausedBy(Exception? failure) => failure is StoreFullException || ErrnoOf(failure) is not null;

    private static Errno? ErrnoOf(Exception? failure) => failure switch
    {
        null => null,
        ErrnoException { Errno: Errno.ENOSPC or Errno.EDQUOT or Errno.EFBIG } e => e.Errno,
        IOException { HResult: (int)Errno.ENOSPC or (int)Errno.EDQUOT } e => (Errno)e.HResult,
        _ => ErrnoOf(failure.InnerException),
    };

    private static string Describe(Errno errno, string what, string needed, string free) => errno switch
    {
        Errno.EFBIG => $"file too large for the limit of this process writing {what} (need ~{needed})",
        Errno.EDQUOT => $"disk quota exceeded writing {what} (need ~{needed})",
        _ => $"no space left on device writing {what} (need ~{needed}, free {free})",
    };

    private static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {Units[unit]}");
    }
}
