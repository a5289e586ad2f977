using System.Diagnostics;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Cgroups.Systemd;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups.Systemd;

public sealed class SystemdScopeTests : IDisposable
{
    private static readonly string[] Greeting = ["<0>AUTH EXTERNAL", "DATA", "BEGIN", "Hello"];

    private static readonly string[] Subscription =
    [
        "AddMatch type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
        "Subscribe",
    ];

    private readonly string _directory = Directory.CreateTempSubdirectory("oci-bus-").FullName;

    private string Bus => Path.Join(_directory, "bus");

    [Fact]
    public void A_scope_is_started_around_a_process_and_its_group_is_asked_for()
    {
        using FakeSystemd systemd = FakeSystemd.Listen(Bus);
        SystemdScope scope = SystemdScope.Parse("machine.slice:libpod:abc", "abc");
        Assert.Equal("/machine.slice/oci-abc.scope", scope.Start(Bus, "abc", 77, [SystemdProperty.Of("TasksMax", 5)]));
        Assert.Equal(
            [
                .. Greeting,
                .. Subscription,
                "StartTransientUnit libpod-abc.scope replace Description=container abc DefaultDependencies=no MemoryAccounting=yes "
                + "CPUAccounting=yes IOAccounting=yes TasksAccounting=yes Slice=machine.slice Delegate=yes PIDs=[77] TasksMax=5",
                "Get /org/freedesktop/systemd1/unit/x org.freedesktop.systemd1.Scope ControlGroup",
            ],
            systemd.Calls);
    }

    [Fact]
    public void A_real_bus_carries_the_messages()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dbus-daemon"), "needs dbus-daemon");
        using Process bus = Process.Start(new ProcessStartInfo(
            "dbus-daemon", ["--session", "--nofork", "--nopidfile", "--nosyslog", "--print-address", $"--address=unix:path={Bus}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            Assert.NotNull(bus.StandardOutput.ReadLine());
            using FakeSystemd systemd = FakeSystemd.Join(Bus);
            SystemdScope scope = SystemdScope.Parse("machine.slice:libpod:abc", "abc");
            ResourcesSpec resources = new() { Cpu = new() { Cpus = "0-2,9" }, Pids = new(3) };
            List<SystemdProperty> properties = SystemdLimits.Of(resources, isV2: true);
            properties.AddRange(SystemdLimits.Of(DeviceRules.Parse([new(false)], withDefaults: true)));
            Assert.Equal("/machine.slice/oci-abc.scope", scope.Start(Bus, "abc", 77, properties));
            scope.Update(Bus, properties);
            scope.Stop(Bus);
            const string Limits = "AllowedCPUs=[07,02] TasksMax=3 DevicePolicy=strict DeviceAllow=[char-*:m,block-*:m,/dev/char/1:3:rwm,"
                + "/dev/char/1:5:rwm,/dev/char/1:7:rwm,/dev/char/1:8:rwm,/dev/char/1:9:rwm,/dev/char/5:0:rwm,/dev/char/5:1:rwm,"
                + "/dev/char/5:2:rwm,char-136:rwm]";
            Assert.Equal(5, systemd.Calls.Count(call => call != "Subscribe"));
            Assert.EndsWith($"PIDs=[77] {Limits}", systemd.Calls[1], StringComparison.Ordinal);
            Assert.Equal($"SetUnitProperties libpod-abc.scope True {Limits}", systemd.Calls[3]);
            Assert.Equal("StopUnit libpod-abc.scope replace", systemd.Calls[5]);
        }
        finally
        {
            bus.Kill();
            bus.WaitForExit();
        }
    }

    [Fact]
    public void A_scope_that_has_failed_before_is_forgotten_and_started_again()
    {
        using FakeSystemd systemd = FakeSystemd.Listen(Bus);
        systemd.Errors["StartTransientUnit"] = new(["org.freedesktop.systemd1.UnitExists"]);
        SystemdScope.Parse("::abc", "abc").Start(Bus, "abc", 77, []);
        Assert.Equal(
            ["StartTransientUnit fails", "ResetFailedUnit abc.scope", "StartTransientUnit abc.scope"],
            systemd.Calls[6..9].Select(call => call.Split(" replace")[0]));
    }

    [Theory]
    [InlineData("org.freedesktop.DBus.Error.AccessDenied")]
    [InlineData("org.freedesktop.systemd1.UnitExists")]
    public void What_systemd_refuses_is_said(string error)
    {
        using FakeSystemd systemd = FakeSystemd.Listen(Bus);
        systemd.Errors["StartTransientUnit"] = new([error, error]);
        OciException failure = Assert.Throws<OciException>(() => SystemdScope.Parse("::abc", "abc").Start(Bus, "abc", 77, []));
        Assert.Equal("cannot start unit 'abc.scope': it is so", failure.Message);
    }

    [Fact]
    public void A_job_that_fails_is_an_error_and_the_unit_is_forgotten()
    {
        using FakeSystemd systemd = FakeSystemd.Listen(Bus, jobResult: "timeout");
        OciException failure = Assert.Throws<OciException>(() => SystemdScope.Parse("::abc", "abc").Start(Bus, "abc", 77, []));
        Assert.Equal("cannot start unit 'abc.scope': timeout", failure.Message);
        Assert.Equal("ResetFailedUnit abc.scope", systemd.Calls[^1]);
    }

    [Fact]
    public void A_scope_that_has_ended_is_stopped()
    {
        using FakeSystemd systemd = FakeSystemd.Listen(Bus);
        systemd.Errors["StopUnit"] = new(["org.freedesktop.systemd1.NoSuchUnit"]);
        SystemdScope scope = new(Slice: null, "abc.scope");
        scope.Stop(Bus);
        scope.Stop(Bus);
        Assert.Equal(["StopUnit fails", "StopUnit abc.scope replace", "ResetFailedUnit abc.scope"], systemd.Calls.Where(
            call => call.Contains("Unit", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_bus_that_is_absent_is_an_error()
    {
        OciException failure = Assert.Throws<OciException>(() => new SystemdScope(null, "x.scope").Stop(Bus));
        Assert.StartsWith($"cannot use the message bus '{Bus}': ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_without_systemd_says_so()
    {
        Assert.SkipWhen(Directory.Exists("/run/systemd/system"), "systemd runs here");
        OciException failure = Assert.Throws<OciException>(() => Cgroup.Create(new("abc") { Systemd = true }));
        Assert.Equal("systemd cgroup flag passed, but systemd support for managing cgroups is not available", failure.Message);
    }

    [Fact]
    public void The_groups_are_made_where_systemd_has_put_the_scope()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "groups of this host need root");
        string name = $"oci-test-{Guid.NewGuid():N}";
        using FakeSystemd systemd = FakeSystemd.Listen(Bus, controlGroup: $"/{name}");
        CgroupRequest request = new("abc") { Pid = 77, Resources = new() { Pids = new(9) } };
        Cgroup cgroup = Cgroup.CreateScope(CgroupMounts.Read(), request, HostFiles.Instance, Bus)!;
        Assert.Equal("oci-abc.scope", cgroup.Record.SystemdUnit);
        Assert.All(cgroup.Directories, directory => Assert.EndsWith($"/{name}", directory, StringComparison.Ordinal));
        cgroup.UpdateScope(new() { Pids = new(8) }, Bus);
        Assert.Equal("SetUnitProperties oci-abc.scope True TasksMax=8", systemd.Calls[^1]);
        Assert.True(Cgroup.Open(cgroup.Record with { SystemdUnit = null }).Delete());

        // and where a limit cannot be set, the scope goes, too
        CgroupRequest wrong = request with { Resources = new() { Cpu = new() { Cpus = "4000" } } };
        Assert.Throws<OciException>(() => Cgroup.CreateScope(CgroupMounts.Read(), wrong, HostFiles.Instance, Bus));
        Assert.Contains("StopUnit oci-abc.scope replace", systemd.Calls);
        Assert.All(cgroup.Directories, directory => Assert.False(Directory.Exists(directory)));
    }

    [Theory]
    [InlineData(null, null, "oci-abc.scope")]
    [InlineData("system.slice:runc:abc", "system.slice", "runc-abc.scope")]
    [InlineData(":cri-containerd:abc", null, "cri-containerd-abc.scope")]
    [InlineData("a.slice::abc", "a.slice", "abc.scope")]
    [InlineData("a.slice:x:a-b.slice", "a.slice", "a-b.slice")]
    public void A_path_is_a_slice_a_prefix_and_a_name(string? path, string? slice, string unit) =>
        Assert.Equal(new SystemdScope(slice, unit), SystemdScope.Parse(path, "abc"));

    [Theory]
    [InlineData("/docker/abc")]
    [InlineData("a:b")]
    [InlineData("a:b:")]
    [InlineData("a:b:c:d")]
    public void Another_path_is_refused(string path)
    {
        OciException failure = Assert.Throws<OciException>(() => SystemdScope.Parse(path, "abc"));
        Assert.Equal(
            $"expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"{path}\" instead", failure.Message);
    }

    [Theory]
    [InlineData(20000, 100000, 200000)]
    [InlineData(20000, 0, 200000)]
    [InlineData(1, 100000, 10000)]
    [InlineData(33333, 100000, 340000)]
    [InlineData(400000, 100000, 4000000)]
    [InlineData(-1, 100000, ulong.MaxValue)]
    public void A_quota_is_rounded_up_to_a_percent_of_a_processor(long quota, ulong period, ulong perSecond) =>
        Assert.Equal(perSecond, SystemdLimits.QuotaPerSecond(quota, period));

    [Theory]
    [InlineData("0", "01")]
    [InlineData("0-3,7", "8F")]
    [InlineData("8", "0001")]
    [InlineData("1, 15-16", "028001")]
    public void A_list_of_processors_becomes_bits(string list, string bits) => Assert.Equal(bits, Convert.ToHexString(SystemdLimits.Bits(list)));

    [Theory]
    [InlineData("x")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    public void What_is_no_list_of_processors_is_refused(string list) => Assert.Throws<OciException>(() => SystemdLimits.Bits(list));

    [Fact]
    public void Limits_become_properties()
    {
        ResourcesSpec resources = new()
        {
            Memory = new() { Limit = 100, Swap = 300, Reservation = 50 },
            Cpu = new() { Shares = 1024, Quota = 5000, Period = 10000 },
            BlockIO = new() { Weight = 100 },
            Pids = new(-1),
            Unified = new Dictionary<string, string> { ["memory.high"] = "80", ["cpuset.mems"] = "1", ["io.max"] = "8:0 rbps=1" },
        };
        Assert.Equal(
            "MemoryMax=100 MemoryLow=50 MemorySwapMax=200 CPUWeight=100 CPUQuotaPeriodUSec=10000 CPUQuotaPerSecUSec=500000 "
            + $"IOWeight=910 TasksMax={ulong.MaxValue} MemoryHigh=80 AllowedMemoryNodes=System.Byte[]",
            Show(SystemdLimits.Of(resources, isV2: true)));
        Assert.Equal(
            "MemoryLimit=100 CPUShares=1024 CPUQuotaPeriodUSec=10000 CPUQuotaPerSecUSec=500000 "
            + $"BlockIOWeight=100 TasksMax={ulong.MaxValue}",
            Show(SystemdLimits.Of(resources, isV2: false)));
    }

    [Fact]
    public void Device_rules_that_a_unit_cannot_have_are_left_to_the_group()
    {
        DeviceFilterRule denyAll = new(false, 'a', null, null, DeviceAccess.All);
        Assert.Empty(SystemdLimits.Of([denyAll, new(true, 'c', null, 3, DeviceAccess.All)]));
        Assert.Empty(SystemdLimits.Of(
            [denyAll, new(true, 'c', 1, null, DeviceAccess.All), new(false, 'c', 1, 3, DeviceAccess.All)]));
        Assert.Equal("auto", SystemdLimits.Of([denyAll with { Allow = true }])[0].Value);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Show(IEnumerable<SystemdProperty> properties) =>
        string.Join(' ', properties.Select(property => $"{property.Name}={property.Value}"));
}
