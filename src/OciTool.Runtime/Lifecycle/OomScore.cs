using System.Globalization;
using OciTool.Images;

namespace OciTool.Runtime.Lifecycle;

/// <summary>How likely the kernel kills a process when memory runs out.</summary>
internal static class OomScore
{
    /// <summary>Sets the adjustment.</summary>
    /// <param name="process">The process ID.</param>
    /// <param name="score">-1000 to 1000; null to leave it.</param>
    /// <exception cref="OciException">The kernel refuses.</exception>
    public static void Set(int process, int? score)
    {
        if (score is null)
        {
            return;
        }

        string path = $"/proc/{process}/oom_score_adj";
        string text = score.Value.ToString(CultureInfo.InvariantCulture);
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // without CAP_SYS_RESOURCE it can only be raised; what is there already needs no change
            if (File.ReadAllText(path).TrimEnd() != text)
            {
                throw new OciException($"process.oomScoreAdj: cannot set {text}: {Printable.Shorten(e.Message)}", e);
            }
        }
    }
}
