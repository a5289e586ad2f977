using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace OciTool.Images.Compatibility;

/// <summary>A version of Linux or of a C library; the numbers count, not what stands behind them.</summary>
/// <param name="Major">The first number.</param>
/// <param name="Minor">The second number.</param>
/// <param name="Patch">The third number.</param>
public readonly record struct KernelVersion(int Major, int Minor, int Patch = 0) : IComparable<KernelVersion>
{
    /// <summary>Reads the beginning of a text such as <c>6.1.0-18-amd64</c>.</summary>
    /// <param name="text">What uname(2) says.</param>
    /// <param name="version">The version.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out KernelVersion version)
    {
        Span<int> numbers = [0, 0, 0];
        int count = 0;
        ReadOnlySpan<char> rest = text;
        while (count < 3)
        {
            int digits = 0;
            while (digits < rest.Length && char.IsAsciiDigit(rest[digits]))
            {
                digits++;
            }

            if (digits == 0 || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[count]))
            {
                break;
            }

            count++;
            rest = rest[digits..];
            if (rest.IsEmpty || rest[0] != '.')
            {
                break;
            }

            rest = rest[1..];
        }

        version = new(numbers[0], numbers[1], numbers[2]);
        return count >= 2;
    }

    /// <inheritdoc/>
    public int CompareTo(KernelVersion other) =>
        Major != other.Major ? Major.CompareTo(other.Major) : Minor != other.Minor ? Minor.CompareTo(other.Minor) : Patch.CompareTo(other.Patch);

    /// <summary>Whether one is older than the other.</summary>
    public static bool operator <(KernelVersion left, KernelVersion right) => left.CompareTo(right) < 0;

    /// <summary>Whether one is newer than the other.</summary>
    public static bool operator >(KernelVersion left, KernelVersion right) => left.CompareTo(right) > 0;

    /// <summary>Whether one is not newer than the other.</summary>
    public static bool operator <=(KernelVersion left, KernelVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one is not older than the other.</summary>
    public static bool operator >=(KernelVersion left, KernelVersion right) => left.CompareTo(right) >= 0;

    /// <summary>The written form; a third number of 0 is left out.</summary>
    public override string ToString() => Patch == 0 ? $"{Major}.{Minor}" : $"{Major}.{Minor}.{Patch}";
}
