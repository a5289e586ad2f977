using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Spec;

namespace OciTool.Runtime.Cgroups.Systemd;

/// <summary>A unit of systemd that a container's group belongs to.</summary>
/// <param name="Slice">The slice that it is in; null for systemd's own choice.</param>
/// <param name="Unit">Its name.</param>
internal sealed record SystemdScope(string? Slice, string Unit)
{
    private const string Name = "org.freedesktop.systemd1";
    private const string Manager = "org.freedesktop.systemd1.Manager";
    private const string ManagerPath = "/org/freedesktop/systemd1";

    /// <summary>Where the message bus of whoever may make units is.</summary>
    /// <exception cref="OciException">systemd does not run here.</exception>
    internal static string FindBus()
    {
        if (!Directory.Exists("/run/systemd/system"))
        {
            throw new OciException("systemd cgroup flag passed, but systemd support for managing cgroups is not available");
        }

        string? address = Environment.GetEnvironmentVariable(
            Environment.IsPrivilegedProcess ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS");
        const string Prefix = "unix:path=";
        return address?.StartsWith(Prefix, StringComparison.Ordinal) == true ? address[Prefix.Length..].Split(',', ';')[0]
            : Environment.IsPrivilegedProcess ? "/run/dbus/system_bus_socket"
            : Path.Join(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "bus");
    }

    /// <summary>Reads <c>linux.cgroupsPath</c> in the form <c>SLICE:PREFIX:NAME</c>.</summary>
    /// <param name="path">The path; null or empty for our own place.</param>
    /// <param name="containerId">The container's ID.</param>
    /// <exception cref="OciException">It has another form.</exception>
    internal static SystemdScope Parse(string? path, string containerId)
    {
        if (string.IsNullOrEmpty(path))
        {
            CgroupPath.CheckName(containerId);
            return new(Slice: null, $"oci-{containerId}.scope");
        }

        if (path.Split(':') is not [var slice, var prefix, { Length: > 0 } name] || path.Contains('/', StringComparison.Ordinal))
        {
            throw new OciException(
                $"expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"{Printable.Shorten(path)}\" instead");
        }

        string unit = name.EndsWith(".slice", StringComparison.Ordinal) ? name
            : prefix.Length > 0 ? $"{prefix}-{name}.scope" : $"{name}.scope";
        return new(slice.Length > 0 ? slice : null, unit);
    }

    /// <summary>Makes the unit, and with it the group.</summary>
    /// <param name="bus">The path of the bus's socket.</param>
    /// <param name="containerId">The container's ID.</param>
    /// <param name="pid">A process to put into it.</param>
    /// <param name="limits">The properties of its limits.</param>
    /// <returns>The path of its group.</returns>
    /// <exception cref="OciException">systemd refuses it.</exception>
    internal string Start(string bus, string containerId, int pid, IReadOnlyList<SystemdProperty> limits)
    {
        using DbusConnection connection = DbusConnection.Open(bus);
        Subscribe(connection);
        List<SystemdProperty> properties = Describe(containerId, pid);
        properties.AddRange(limits);
        try
        {
            try
            {
                Run(connection, "StartTransientUnit", "ssa(sv)a(sa(sv))", properties);
            }
            catch (DbusException e) when (e.Name == "org.freedesktop.systemd1.UnitExists")
            {
                // one that has failed is kept for who wants to know why; one that lives stays
                ResetFailed(connection);
                Run(connection, "StartTransientUnit", "ssa(sv)a(sa(sv))", properties);
            }

            DbusMessage unit = connection.Call(Name, ManagerPath, Manager, "GetUnit", "s", writer => writer.String(Unit));
            return ControlGroup(connection, unit.Read().String());
        }
        catch (DbusException e)
        {
            throw new OciException($"cannot start unit '{Printable.Shorten(Unit)}': {e.Message}", e);
        }
    }

    /// <summary>Changes properties of the unit.</summary>
    /// <exception cref="OciException">systemd refuses it.</exception>
    internal void Update(string bus, IReadOnlyList<SystemdProperty> properties)
    {
        if (properties.Count == 0)
        {
            return;
        }

        using DbusConnection connection = DbusConnection.Open(bus);
        try
        {
            connection.Call(Name, ManagerPath, Manager, "SetUnitProperties", "sba(sv)", writer =>
            {
                writer.String(Unit);
                writer.Boolean(true); // not kept across a boot, as the unit is not
                writer.Array(8, array => Write(array, properties));
            });
        }
        catch (DbusException e)
        {
            throw new OciException($"cannot change unit '{Printable.Shorten(Unit)}': {e.Message}", e);
        }
    }

    /// <summary>Stops the unit, and lets systemd forget it.</summary>
    /// <exception cref="OciException">There is no bus, or systemd refuses it.</exception>
    internal void Stop(string bus)
    {
        using DbusConnection connection = DbusConnection.Open(bus);
        Subscribe(connection);
        try
        {
            Run(connection, "StopUnit", "ss", properties: null);
        }
        catch (DbusException e) when (e.Name == "org.freedesktop.systemd1.NoSuchUnit")
        {
            return; // a scope ends with its last process
        }

        ResetFailed(connection);
    }

    private static void Subscribe(DbusConnection connection)
    {
        connection.AddMatch($"type='signal',sender='{Name}',interface='{Manager}',member='JobRemoved'");
        connection.Call(Name, ManagerPath, Manager, "Subscribe");
    }

    private static void Write(DbusWriter writer, IReadOnlyList<SystemdProperty> properties)
    {
        foreach (SystemdProperty property in properties)
        {
            property.Write(writer);
        }
    }

    private List<SystemdProperty> Describe(string containerId, int pid)
    {
        List<SystemdProperty> properties =
        [
            SystemdProperty.Of("Description", $"container {containerId}"),
            SystemdProperty.Of("DefaultDependencies", false),
            SystemdProperty.Of("MemoryAccounting", true),
            SystemdProperty.Of("CPUAccounting", true),
            SystemdProperty.Of("IOAccounting", true),
            SystemdProperty.Of("TasksAccounting", true),
        ];
        if (Unit.EndsWith(".slice", StringComparison.Ordinal))
        {
            if (Slice is not null)
            {
                properties.Add(new("Wants", "as", (string[])[Slice]));
            }

            return properties;
        }

        if (Slice is not null)
        {
            properties.Add(SystemdProperty.Of("Slice", Slice));
        }

        properties.Add(SystemdProperty.Of("Delegate", true));
        properties.Add(new("PIDs", "au", (uint[])[(uint)(pid != 0 ? pid : Environment.ProcessId)]));
        return properties;
    }

    private string ControlGroup(DbusConnection connection, string unitPath)
    {
        string type = Unit.EndsWith(".slice", StringComparison.Ordinal) ? $"{Name}.Slice" : $"{Name}.Scope";
        DbusReader reader = connection.Call(Name, unitPath, "org.freedesktop.DBus.Properties", "Get", "ss", writer =>
        {
            writer.String(type);
            writer.String("ControlGroup");
        }).Read();
        return reader.Signature() == "s" && reader.String() is { Length: > 1 } path && path[0] == '/' && !path.Contains("/..", StringComparison.Ordinal)
            ? path
            : throw new OciException($"unit '{Printable.Shorten(Unit)}' has no cgroup");
    }

    private void Run(DbusConnection connection, string method, string signature, List<SystemdProperty>? properties)
    {
        DbusMessage started = connection.Call(Name, ManagerPath, Manager, method, signature, writer =>
        {
            writer.String(Unit);
            writer.String("replace");
            if (properties is not null)
            {
                writer.Array(8, array => Write(array, properties));
                writer.Array(8, _ => { });
            }
        });
        string job = started.Read().String();
        while (true)
        {
            DbusMessage signal = connection.NextSignal();
            if (signal.Member != "JobRemoved" || signal.Signature != "uoss")
            {
                continue;
            }

            DbusReader reader = signal.Read();
            reader.UInt32();
            if (reader.String() != job)
            {
                continue; // somebody else's
            }

            reader.String();
            string result = reader.String();
            if (result != "done")
            {
                ResetFailed(connection);
                throw new OciException($"cannot {(properties is null ? "stop" : "start")} unit '{Printable.Shorten(Unit)}': {Printable.Shorten(result)}");
            }

            return;
        }
    }

    private void ResetFailed(DbusConnection connection)
    {
        try
        {
            connection.Call(Name, ManagerPath, Manager, "ResetFailedUnit", "s", writer => writer.String(Unit));
        }
        catch (DbusException)
        {
            // it has not failed, or is forgotten already
        }
    }
}
