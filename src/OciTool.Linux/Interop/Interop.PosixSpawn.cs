using System.Runtime.InteropServices;

namespace OciTool.Linux;

internal static partial class Interop
{
    internal static partial class Libc
    {
        internal const short POSIX_SPAWN_SETSIGDEF = 0x04;
        internal const short POSIX_SPAWN_SETSIGMASK = 0x08;

        // glibc needs 336, 80 and 128 bytes, musl less; the rest is head room
        internal const int PosixSpawnAttributesSize = 1024;
        internal const int PosixSpawnActionsSize = 256;
        internal const int SignalSetSize = 256;

        /// <summary>posix_spawn(3); returns the error number instead of setting errno.</summary>
        [LibraryImport(Name, EntryPoint = "posix_spawn", SetLastError = true)]
        internal static unsafe partial int PosixSpawn(
            out int pid, byte* path, byte* actions, byte* attributes, byte** arguments, byte** environment);

        [LibraryImport(Name, EntryPoint = "posix_spawnattr_init", SetLastError = true)]
        internal static unsafe partial int PosixSpawnAttributesInit(byte* attributes);

        [LibraryImport(Name, EntryPoint = "posix_spawnattr_destroy", SetLastError = true)]
        internal static unsafe partial int PosixSpawnAttributesDestroy(byte* attributes);

        [LibraryImport(Name, EntryPoint = "posix_spawnattr_setflags", SetLastError = true)]
        internal static unsafe partial int PosixSpawnAttributesSetFlags(byte* attributes, short flags);

        [LibraryImport(Name, EntryPoint = "posix_spawnattr_setsigdefault", SetLastError = true)]
        internal static unsafe partial int PosixSpawnAttributesSetDefault(byte* attributes, byte* signals);

        [LibraryImport(Name, EntryPoint = "posix_spawnattr_setsigmask", SetLastError = true)]
        internal static unsafe partial int PosixSpawnAttributesSetMask(byte* attributes, byte* signals);

        [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_init", SetLastError = true)]
        internal static unsafe partial int PosixSpawnActionsInit(byte* actions);

        [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_destroy", SetLastError = true)]
        internal static unsafe partial int PosixSpawnActionsDestroy(byte* actions);

        [LibraryImport(Name, EntryPoint = "posix_spawn_file_actions_adddup2", SetLastError = true)]
        internal static unsafe partial int PosixSpawnActionsAddDuplicate(byte* actions, int from, int to);

        [LibraryImport(Name, EntryPoint = "sigfillset", SetLastError = true)]
        internal static unsafe partial int FillSignalSet(byte* signals);

        [LibraryImport(Name, EntryPoint = "sigemptyset", SetLastError = true)]
        internal static unsafe partial int EmptySignalSet(byte* signals);
    }
}
