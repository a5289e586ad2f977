namespace OciTool.Runtime.Processes;

/// <summary>What the init process says to the main process over their socket, a byte each, and the one answer.</summary>
internal enum InitMessage : byte
{
    /// <summary>It has failed; errno, the step and the operand follow, and then it ends.</summary>
    Failed = (byte)'E',

    /// <summary>With our side of the container's terminal.</summary>
    Terminal = (byte)'T',

    /// <summary>With the listener of its system call filter; it waits for <see cref="Go"/>.</summary>
    Listener = (byte)'N',

    /// <summary>The hooks of the main process are to run; it waits for <see cref="Go"/>.</summary>
    Hooks = (byte)'H',

    /// <summary>Its limits are to be set; it waits for <see cref="Go"/>.</summary>
    Limits = (byte)'L',

    /// <summary>It has to be in its control group now; it waits for <see cref="Go"/>.</summary>
    Group = (byte)'C',

    /// <summary>With the process that executes the command in its place; it waits for <see cref="Go"/>.</summary>
    Successor = (byte)'S',

    /// <summary>It waits at its gate, and says nothing more.</summary>
    Ready = (byte)'R',

    /// <summary>It executes the command next, or its successor has: the socket closes.</summary>
    Executing = (byte)'X',

    /// <summary>The answer.</summary>
    Go = (byte)'G',
}
