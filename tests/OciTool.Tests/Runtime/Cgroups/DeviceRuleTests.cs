using CsCheck;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Cgroups;
using OciTool.Runtime.Spec;
using Xunit;

namespace OciTool.Tests.Runtime.Cgroups;

public sealed class DeviceRuleTests
{
    // few numbers, so that rules meet
    private static readonly Gen<DeviceFilterRule> Rule = Gen.Select(
        Gen.Bool, Gen.Int[0, 2].Select(type => "abc"[type]), Number(2), Number(2), Gen.Int[1, 7],
        (allow, type, major, minor, access) => new DeviceFilterRule(allow, type, major, minor, (DeviceAccess)access));

    [Fact]
    public void The_program_lets_the_last_rule_count_for_each_kind_of_access() => Rule.Array[0, 8].Sample(rules =>
    {
        ulong[] program = DeviceFilter.Compile(rules);
        foreach (char type in "bc")
        {
            for (uint number = 0; number < 9; number++)
            {
                for (DeviceAccess access = DeviceAccess.MakeNode; access <= DeviceAccess.All; access++)
                {
                    (uint major, uint minor) = (number / 3, number % 3);
                    if (DeviceProgram.Allows(program, type, major, minor, access) != Allowed(rules, type, major, minor, access))
                    {
                        return false;
                    }
                }
            }
        }

        return true;
    });

    [Fact]
    public void A_list_of_v1_allows_what_the_rules_allow_or_says_that_it_cannot() => Rule.Array[0, 6].Sample(rules =>
    {
        V1Kernel kernel = new();
        try
        {
            kernel.Become(rules, isNew: true);
        }
        catch (OciException)
        {
            return; // a hole in a wider exception
        }

        Assert.True(kernel.Agrees(rules));
    });

    [Fact]
    public void A_list_of_v1_becomes_any_other() => Gen.Select(Rule.Array[0, 6], Rule.Array[0, 6]).Sample((first, second) =>
    {
        V1Kernel kernel = new();
        try
        {
            kernel.Become(first, isNew: true);
            kernel.Become(second, isNew: false);
        }
        catch (OciException)
        {
            return;
        }

        Assert.True(kernel.Agrees(second));
    });

    [Fact]
    public void A_list_that_is_right_is_not_written_again()
    {
        DeviceFilterRule[] rules = DeviceRules.Parse([new(false) { Access = "rwm" }], withDefaults: true);
        V1Kernel kernel = new();
        Assert.NotEmpty(kernel.Become(rules, isNew: true));
        Assert.Empty(kernel.Become(rules, isNew: false));
        Assert.Equal(
            [(false, "c 1:3 w"), (true, "c 9:9 r")],
            kernel.Become([.. rules, new(false, 'c', 1, 3, DeviceAccess.Write), new(true, 'c', 9, 9, DeviceAccess.Read)], isNew: false));
    }

    [Fact]
    public void A_new_group_that_allows_all_has_nothing_to_write() => Assert.Empty(
        new V1Kernel().Become(DeviceRules.Parse([new(true) { Access = "rwm" }], withDefaults: true), isNew: true));

    [Fact]
    public void A_hole_in_a_wider_exception_is_refused()
    {
        DeviceFilterRule[] rules = DeviceRules.Parse(
            [new(false), new(true) { Type = "c", Access = "rwm" }, new(false) { Type = "c", Major = 1, Minor = 3, Access = "w" }],
            withDefaults: false);
        OciException failure = Assert.Throws<OciException>(() => DeviceList.Of(rules));
        Assert.Equal("cannot deny device 'c 1:3': cgroup v1 has no exceptions from the rule for 'c *:*'", failure.Message);
    }

    [Fact]
    public void The_default_devices_can_be_used_whatever_the_rules_are()
    {
        ulong[] program = DeviceFilter.Compile(DeviceRules.Parse([new(false)], withDefaults: true));
        Assert.True(DeviceProgram.Allows(program, 'c', 1, 3, DeviceAccess.All));
        Assert.True(DeviceProgram.Allows(program, 'c', 136, 77, DeviceAccess.Read | DeviceAccess.Write));
        Assert.True(DeviceProgram.Allows(program, 'b', 8, 0, DeviceAccess.MakeNode));
        Assert.False(DeviceProgram.Allows(program, 'b', 8, 0, DeviceAccess.Read));
        Assert.False(DeviceProgram.Allows(program, 'c', 1, 1, DeviceAccess.Read));
    }

    [Fact]
    public void Absent_and_negative_numbers_stand_for_all()
    {
        DeviceFilterRule rule = Assert.Single(DeviceRules.Parse([new(true) { Major = -1, Minor = -1 }], withDefaults: false));
        Assert.Equal(new DeviceFilterRule(true, 'a', null, null, DeviceAccess.All), rule);
        Assert.True(DeviceRules.AllowEverything([rule]));
        Assert.False(DeviceRules.AllowEverything([rule, new(false, 'c', 1, 1, DeviceAccess.Read)]));
        Assert.False(DeviceRules.AllowEverything([]));
    }

    [Theory]
    [InlineData("x", "rwm")]
    [InlineData("c", "rwx")]
    public void A_rule_about_no_device_is_refused(string type, string access) =>
        Assert.Throws<OciException>(() => DeviceRules.Parse([new(true) { Type = type, Access = access }], withDefaults: false));

    private static Gen<long?> Number(long most) => Gen.Long[-1, most].Select(number => number < 0 ? (long?)null : number);

    private static bool Allowed(DeviceFilterRule[] rules, char type, uint major, uint minor, DeviceAccess access)
    {
        foreach (DeviceAccess bit in (DeviceAccess[])[DeviceAccess.MakeNode, DeviceAccess.Read, DeviceAccess.Write])
        {
            bool allowed = !access.HasFlag(bit);
            foreach (DeviceFilterRule rule in access.HasFlag(bit) ? rules : [])
            {
                bool matches = (rule.Type == 'a' || rule.Type == type) && rule.Access.HasFlag(bit)
                    && (rule.Major is null || rule.Major == major) && (rule.Minor is null || rule.Minor == minor);
                allowed = matches ? rule.Allow : allowed;
            }

            if (!allowed)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The exceptions of a devices group as the kernel keeps them (security/device_cgroup.c).</summary>
    private sealed class V1Kernel
    {
        private readonly Dictionary<string, string> _exceptions = [];
        private bool _allowsByDefault = true;

        private string List => _allowsByDefault
            ? "a *:* rwm\n" : string.Concat(_exceptions.Select(exception => $"{exception.Key} {exception.Value}\n"));

        internal List<(bool Allow, string Text)> Become(DeviceFilterRule[] rules, bool isNew)
        {
            List<(bool Allow, string Text)> writes = DeviceList.Parse(List).WritesTo(DeviceList.Of(rules), isNew);
            foreach ((bool allow, string text) in writes)
            {
                if (text == "a")
                {
                    _allowsByDefault = allow;
                    _exceptions.Clear();
                    continue;
                }

                int space = text.LastIndexOf(' ');
                string device = text[..space];
                string had = _exceptions.GetValueOrDefault(device, "");
                string access = allow != _allowsByDefault
                    ? string.Concat("rwm".Where(letter => had.Contains(letter) || text[space..].Contains(letter)))
                    : string.Concat(had.Where(letter => !text[space..].Contains(letter)));
                _exceptions.Remove(device);
                if (access.Length > 0)
                {
                    _exceptions[device] = access;
                }
            }

            return writes;
        }

        internal bool Agrees(DeviceFilterRule[] rules)
        {
            foreach (char type in "bc")
            {
                for (uint number = 0; number < 9; number++)
                {
                    foreach (DeviceAccess bit in (DeviceAccess[])[DeviceAccess.MakeNode, DeviceAccess.Read, DeviceAccess.Write])
                    {
                        (uint major, uint minor) = (number / 3, number % 3);
                        char letter = bit == DeviceAccess.Read ? 'r' : bit == DeviceAccess.Write ? 'w' : 'm';
                        bool isException = _exceptions.Any(exception =>
                            exception.Value.Contains(letter) && exception.Key is var key && Matches(key, type, major, minor));
                        if ((isException != _allowsByDefault) != Allowed(rules, type, major, minor, bit))
                        {
                            return false;
                        }
                    }
                }
            }

            return true;
        }

        private static bool Matches(string device, char type, uint major, uint minor) =>
            device.Split(' ', ':') is [var kind, var first, var second]
            && kind[0] == type && (first == "*" || first == $"{major}") && (second == "*" || second == $"{minor}");
    }
}
