using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Runtime.Cgroups;

/// <summary>Stops and resumes all processes of a group at once.</summary>
internal static class CgroupFreezer
{
    private const string State = "freezer.state";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Freezes a group, and waits until all of it is.</summary>
    /// <exception cref="OciException">It cannot be; it is as it was before.</exception>
    internal static void Freeze(IKernelFiles files, CgroupDirectory directory)
    {
        try
        {
            if (directory.IsUnified)
            {
                Write(files, directory, "cgroup.freeze", "1");
                WaitForFrozen(files, directory);
            }
            else
            {
                FreezeV1(files, directory);
            }
        }
        catch (OciException)
        {
            // half frozen is the worst of all
            files.Write($"{directory.Path}/{(directory.IsUnified ? "cgroup.freeze" : State)}", directory.IsUnified ? "0" : "THAWED");
            throw;
        }
    }

    /// <summary>Lets a group go on.</summary>
    /// <exception cref="OciException">It cannot be told to.</exception>
    internal static void Thaw(IKernelFiles files, CgroupDirectory directory)
    {
        if (directory.IsUnified)
        {
            Write(files, directory, "cgroup.freeze", "0");
        }
        else
        {
            Write(files, directory, State, "THAWED");
        }
    }

    /// <summary>Whether a group is frozen itself, and not only one above it.</summary>
    internal static bool IsFrozen(IKernelFiles files, CgroupDirectory directory)
    {
        if (directory.IsUnified)
        {
            return Read(files, directory, "cgroup.freeze") == "1";
        }

        return Read(files, directory, State) is "FROZEN" or "FREEZING"
            && Read(files, directory, "freezer.self_freezing") is "1" or "";
    }

    // The old freezer does not catch processes that are being made meanwhile: a process that forks all the time is frozen
    // only by trying again and again, and with it thawed in between.
    private static void FreezeV1(IKernelFiles files, CgroupDirectory directory)
    {
        long start = Environment.TickCount64;
        for (int attempt = 1; ; attempt++)
        {
            if (attempt % 50 == 0)
            {
                Write(files, directory, State, "THAWED");
                Thread.Sleep(10);
            }

            Write(files, directory, State, "FROZEN");
            if (attempt % 25 == 0)
            {
                Thread.Sleep(TimeSpan.FromMicroseconds(attempt));
            }

            switch (Read(files, directory, State))
            {
                case "FROZEN":
                    return;
                case "FREEZING" when Environment.TickCount64 - start < Patience.TotalMilliseconds:
                    continue;
                case var state:
                    throw new OciException($"cannot freeze cgroup '{Printable.Shorten(directory.Path)}': it stays {state}");
            }
        }
    }

    private static void WaitForFrozen(IKernelFiles files, CgroupDirectory directory)
    {
        TimeSpan waited = TimeSpan.Zero;
        for (TimeSpan delay = TimeSpan.FromMilliseconds(0.1); ; delay = delay < TimeSpan.FromMilliseconds(10) ? delay * 2 : delay)
        {
            if (files.Read($"{directory.Path}/cgroup.events", out string events) == Errno.None
                && events.Contains("frozen 1", StringComparison.Ordinal))
            {
                return;
            }

            if (waited > Patience)
            {
                throw new OciException($"cannot freeze cgroup '{Printable.Shorten(directory.Path)}': a process does not stop");
            }

            Thread.Sleep(delay);
            waited += delay;
        }
    }

    private static string Read(IKernelFiles files, CgroupDirectory directory, string file)
    {
        files.Read($"{directory.Path}/{file}", out string text);
        return text.Trim();
    }

    private static void Write(IKernelFiles files, CgroupDirectory directory, string file, string value)
    {
        Errno error = files.Write($"{directory.Path}/{file}", value);
        if (error != Errno.None)
        {
            throw new OciException(
                $"cannot write '{value}' to '{Printable.Shorten(directory.Path)}/{file}': {ErrnoException.Describe(error)}");
        }
    }
}
