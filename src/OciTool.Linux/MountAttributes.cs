namespace OciTool.Linux;

/// <summary>Properties of a mount, as opposed to those of its file system.</summary>
/// <remarks>mount_setattr(2); the values are the kernel's <c>MOUNT_ATTR_*</c>.</remarks>
[Flags]
public enum MountAttributes : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Nothing below it can be written.</summary>
    ReadOnly = 0x1,

    /// <summary>Set-user-ID bits and file capabilities have no effect.</summary>
    NoSuid = 0x2,

    /// <summary>Device nodes cannot be opened.</summary>
    NoDevices = 0x4,

    /// <summary>Nothing can be executed.</summary>
    NoExecute = 0x8,

    /// <summary>Access times are not updated.</summary>
    NoAccessTime = 0x10,

    /// <summary>Access times are always updated.</summary>
    StrictAccessTime = 0x20,

    /// <summary>Not used by the kernel yet.</summary>
    ThirdAccessTimeBit = 0x40,

    /// <summary>The field that holds the kind of access time; to be cleared when one is set.</summary>
    AccessTimeMask = NoAccessTime | StrictAccessTime | ThirdAccessTimeBit,

    /// <summary>Access times of directories are not updated.</summary>
    NoDirectoryAccessTime = 0x80,

    /// <summary>Symbolic links are not followed.</summary>
    NoSymbolicLinks = 0x200000,
}

/// <summary>Whether mounts made below a mount are seen by its copies.</summary>
/// <remarks>mount_namespaces(7), section "Shared subtrees"; the values are the kernel's <c>MS_*</c>.</remarks>
public enum MountPropagation : ulong
{
    /// <summary>As it is.</summary>
    Unchanged = 0,

    /// <summary>Private, and it cannot be bound.</summary>
    Unbindable = 1 << 17,

    /// <summary>Nothing goes in or out.</summary>
    Private = 1 << 18,

    /// <summary>What the host mounts is seen here, not the other way.</summary>
    Slave = 1 << 19,

    /// <summary>Both ways.</summary>
    Shared = 1 << 20,
}
