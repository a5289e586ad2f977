using System.Runtime.InteropServices;
using CsCheck;
using OciTool.Images;
using OciTool.Linux;
using OciTool.Runtime.Seccomp;
using OciTool.Runtime.Spec;
using Xunit;
using static OciTool.Tests.Runtime.Seccomp.BpfProgram;

namespace OciTool.Tests.Runtime.Seccomp;

/// <summary>What filters of a config.json decide, by interpreting their programs.</summary>
public sealed class SeccompVerdictTests
{
    private const uint Allow = 0x7fff0000;
    private const uint Errno = 0x00050000;
    private const uint Kill = 0;

    // numbers of x86-64, and of x86 where that differs
    private const uint Write = 1;
    private const uint MkdirOfX64 = 83;
    private const uint MkdirOfX86 = 39;
    private const uint Personality = 135;
    private const uint Mkdirat = 258;
    private const uint NewestOfTestProfile = Mkdirat;

    public SeccompVerdictTests()
    {
        Assert.SkipWhen(SeccompLibrary.TryLoad() is null, "libseccomp is not installed");
        Assert.SkipWhen(RuntimeInformation.ProcessArchitecture != Architecture.X64, "the numbers are those of x86-64");
    }

    [Theory]
    [InlineData("SCMP_ACT_KILL", null, 0u)]
    [InlineData("SCMP_ACT_KILL_THREAD", null, 0u)]
    [InlineData("SCMP_ACT_KILL_PROCESS", null, 0x80000000u)]
    [InlineData("SCMP_ACT_TRAP", null, 0x00030000u)]
    [InlineData("SCMP_ACT_ERRNO", null, 0x00050001u)]
    [InlineData("SCMP_ACT_ERRNO", 0u, 0x00050000u)]
    [InlineData("SCMP_ACT_ERRNO", 38u, 0x00050026u)]
    [InlineData("SCMP_ACT_ERRNO", 4094u, 0x00050ffeu)]
    [InlineData("SCMP_ACT_TRACE", null, 0x7ff00001u)]
    [InlineData("SCMP_ACT_TRACE", 65535u, 0x7ff0ffffu)]
    [InlineData("SCMP_ACT_LOG", null, 0x7ffc0000u)]
    [InlineData("SCMP_ACT_NOTIFY", null, 0x7fc00000u)]
    public void An_action_is_the_kernels_value_of_it(string action, uint? errno, uint verdict)
    {
        SeccompSpec spec = new("SCMP_ACT_ALLOW")
        {
            ListenerPath = "/agent.sock",
            Syscalls = [new(["mkdir"], action) { ErrnoRet = errno }],
        };
        BpfProgram program = Program(spec);
        Assert.Equal(verdict, program.Judge(X64, MkdirOfX64));
        Assert.Equal(Allow, program.Judge(X64, Mkdirat));

        if (action != "SCMP_ACT_NOTIFY")
        {
            BpfProgram opposite = Program(new(action)
            {
                DefaultErrnoRet = errno,
                Syscalls = [new(["write", "mkdirat", "futex_waitv"], "SCMP_ACT_ALLOW")],
            });
            Assert.Equal(verdict, opposite.Judge(X64, MkdirOfX64));
            Assert.Equal(Allow, opposite.Judge(X64, Mkdirat));
        }
    }

    [Theory]
    [InlineData("SCMP_CMP_NE", 5ul, 0ul, new ulong[] { 0, 4, 6, 0x1_0000_0005 }, new ulong[] { 5 })]
    [InlineData("SCMP_CMP_LT", 5ul, 0ul, new ulong[] { 0, 4 }, new ulong[] { 5, 6, 0x1_0000_0000 })]
    [InlineData("SCMP_CMP_LE", 5ul, 0ul, new ulong[] { 0, 5 }, new ulong[] { 6, 0x1_0000_0000 })]
    [InlineData("SCMP_CMP_EQ", 0x2_0000_0005ul, 0ul, new ulong[] { 0x2_0000_0005 }, new ulong[] { 5, 0x2_0000_0004 })]
    [InlineData("SCMP_CMP_GE", 5ul, 0ul, new ulong[] { 5, 6, ulong.MaxValue }, new ulong[] { 0, 4 })]
    [InlineData("SCMP_CMP_GT", 5ul, 0ul, new ulong[] { 6, 0x1_0000_0000 }, new ulong[] { 0, 5 })]
    [InlineData("SCMP_CMP_MASKED_EQ", 0xf0ul, 0x20ul, new ulong[] { 0x20, 0x2f, 0x120 }, new ulong[] { 0, 0x30, 0xf0 })]
    public void An_operator_holds_for_exactly_these_values(string op, ulong value, ulong second, ulong[] holds, ulong[] others)
    {
        for (uint index = 0; index < 6; index++)
        {
            BpfProgram program = Program(new("SCMP_ACT_ALLOW")
            {
                Syscalls = [new(["personality"], "SCMP_ACT_ERRNO") { Args = [new(index, value, op) { ValueTwo = second }] }],
            });
            Assert.All(holds, given => Assert.Equal(Errno | 1, program.Judge(X64, Personality, At(index, given))));
            Assert.All(others, given => Assert.Equal(Allow, program.Judge(X64, Personality, At(index, given))));
        }
    }

    [Fact]
    public void Conditions_on_several_arguments_must_all_hold_and_on_one_argument_any_of_them()
    {
        BpfProgram all = Program(new("SCMP_ACT_ALLOW")
        {
            Syscalls = [new(["mkdirat"], "SCMP_ACT_ERRNO") { Args = [new(0, 7, "SCMP_CMP_EQ"), new(2, 9, "SCMP_CMP_EQ")] }],
        });
        Assert.Equal(Errno | 1, all.Judge(X64, Mkdirat, 7, 0, 9));
        Assert.Equal(Allow, all.Judge(X64, Mkdirat, 7, 0, 8));
        Assert.Equal(Allow, all.Judge(X64, Mkdirat, 6, 0, 9));

        BpfProgram any = Program(new("SCMP_ACT_ALLOW")
        {
            Syscalls = [new(["mkdirat"], "SCMP_ACT_ERRNO") { Args = [new(0, 7, "SCMP_CMP_EQ"), new(0, 8, "SCMP_CMP_EQ")] }],
        });
        Assert.Equal(Errno | 1, any.Judge(X64, Mkdirat, 7));
        Assert.Equal(Errno | 1, any.Judge(X64, Mkdirat, 8));
        Assert.Equal(Allow, any.Judge(X64, Mkdirat, 9));
    }

    [Fact]
    public void The_first_of_two_rules_for_the_same_calls_counts_and_a_rule_without_conditions_before_one_with_them()
    {
        SyscallRule refused = new(["mkdir"], "SCMP_ACT_ERRNO");
        SyscallRule logged = new(["mkdir"], "SCMP_ACT_LOG");
        Assert.Equal(Errno | 1, Program(new("SCMP_ACT_ALLOW") { Syscalls = [refused, logged] }).Judge(X64, MkdirOfX64));
        Assert.Equal(0x7ffc0000u, Program(new("SCMP_ACT_ALLOW") { Syscalls = [logged, refused] }).Judge(X64, MkdirOfX64));

        SyscallRule conditional = logged with { Args = [new(0, 5, "SCMP_CMP_EQ")] };
        foreach (SyscallRule[] rules in new SyscallRule[][] { [refused, conditional], [conditional, refused] })
        {
            Assert.Equal(Errno | 1, Program(new("SCMP_ACT_ALLOW") { Syscalls = rules }).Judge(X64, MkdirOfX64, 5));
        }
    }

    [Fact]
    public void A_filter_without_architectures_kills_who_calls_by_another_one()
    {
        BpfProgram program = Program(new("SCMP_ACT_ALLOW") { Syscalls = [new(["mkdir"], "SCMP_ACT_ERRNO")] });
        Assert.Equal(Errno | 1, program.Judge(X64, MkdirOfX64));
        Assert.Equal(Kill, program.Judge(X86, MkdirOfX86));
        Assert.Equal(Kill, program.Judge(X64, MkdirOfX64 | X32Bit));
        Assert.Equal(Kill, program.Judge(X64, Write | X32Bit));
        Assert.Equal(Kill, program.Judge(Arm64, 64));
    }

    [Theory]
    [InlineData("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32")]
    [InlineData("SCMP_ARCH_X86", "SCMP_ARCH_X32")] // the specification's own example leaves the machine's architecture out
    public void Neither_32_bit_programs_nor_x32_get_around_a_rule(params string[] architectures)
    {
        BpfProgram program = Program(
            new("SCMP_ACT_ALLOW") { Architectures = architectures, Syscalls = [new(["mkdir"], "SCMP_ACT_ERRNO")] });
        Assert.Equal(Errno | 1, program.Judge(X64, MkdirOfX64));
        Assert.Equal(Errno | 1, program.Judge(X64, MkdirOfX64 | X32Bit));
        Assert.Equal(Errno | 1, program.Judge(X86, MkdirOfX86));
        Assert.Equal(Allow, program.Judge(X86, MkdirOfX64));
        Assert.Equal(Kill, program.Judge(Arm64, 34));
    }

    [Fact]
    public void Every_architecture_of_the_specification_is_taken_and_those_that_this_machine_cannot_have_stay_closed()
    {
        BpfProgram program = Program(new("SCMP_ACT_ALLOW")
        {
            Architectures = SeccompWords.Architectures,
            Syscalls = [new(["mkdirat"], "SCMP_ACT_ERRNO")],
        });
        Assert.Equal(Errno | 1, program.Judge(X64, Mkdirat));
        Assert.Equal(Errno | 1, program.Judge(Arm64, 34));
        Assert.Equal(Kill, program.Judge(0x80000016 /* s390x, of the other byte order */, 289));
    }

    [Theory]
    [InlineData("SCMP_ACT_ERRNO", null, Errno | 38)]
    [InlineData("SCMP_ACT_ERRNO", 1u, Errno | 38)]
    [InlineData("SCMP_ACT_ERRNO", 6u, Errno | 6)]
    [InlineData("SCMP_ACT_ERRNO", 38u, Errno | 38)]
    [InlineData("SCMP_ACT_KILL", null, Kill)]
    [InlineData("SCMP_ACT_TRAP", null, 0x00030000u)]
    [InlineData("SCMP_ACT_ALLOW", null, Allow)]
    public void Calls_newer_than_the_newest_that_is_named_give_no_such_call_where_they_would_give_not_permitted(
        string action, uint? errno, uint verdict)
    {
        BpfProgram program = Program(new(action)
        {
            DefaultErrnoRet = errno,
            Architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"],
            Syscalls = [new(["write"], "SCMP_ACT_LOG"), new(["mkdirat"], "SCMP_ACT_TRACE"), new(["never_heard_of"], "SCMP_ACT_LOG")],
        });
        Assert.Equal(verdict, program.Judge(X64, NewestOfTestProfile + 1));
        Assert.Equal(verdict, program.Judge(X64, 1000));
        Assert.Equal(verdict, program.Judge(X64, X32Bit | (NewestOfTestProfile + 1)));
        Assert.Equal(verdict, program.Judge(X86, 297));
        Assert.Equal(verdict, program.Judge(Arm64, 65));

        // what is older keeps the default action, and what is named its own
        uint older = verdict == (Errno | 38) ? Errno | (errno ?? 1) : verdict;
        Assert.Equal(older, program.Judge(X64, MkdirOfX64));
        Assert.Equal(older, program.Judge(X64, X32Bit | MkdirOfX64));
        Assert.Equal(older, program.Judge(X86, MkdirOfX86));
        Assert.Equal(0x7ff00001u, program.Judge(X64, Mkdirat));
        Assert.Equal(0x7ff00001u, program.Judge(X64, Mkdirat | X32Bit));
        Assert.Equal(0x7ff00001u, program.Judge(X86, 296));
        Assert.Equal(0x7ff00001u, program.Judge(Arm64, 34));
        Assert.Equal(0x7ffc0000u, program.Judge(X64, Write));
        Assert.Equal(Kill, program.Judge(0xc00000f3 /* riscv64 */, 1000));
    }

    [Fact]
    public void An_architecture_that_the_filter_does_not_have_stays_closed_behind_the_answer_to_newer_calls()
    {
        BpfProgram program = Program(new("SCMP_ACT_ERRNO") { Syscalls = [new(["write"], "SCMP_ACT_ALLOW")] });
        Assert.Equal(Errno | 38, program.Judge(X64, 2));
        Assert.Equal(Errno | 1, program.Judge(X64, 0));
        Assert.Equal(Kill, program.Judge(X64, X32Bit | 2));
        Assert.Equal(Kill, program.Judge(X64, X32Bit | 1));
        Assert.Equal(Kill, program.Judge(X86, 1000));
    }

    [Fact]
    public void A_profile_of_containers_common_is_compiled_as_it_is() => Assert.Equal(
        Errno | 1,
        new BpfProgram(SeccompCompiler.Compile(
            new SeccompSpec("SCMP_ACT_ERRNO") { Syscalls = [new(["write"], "SCMP_ACT_ALLOW")] })).Judge(X64, 1000));

    /// <summary>A filter against a model of it: the first rule that names the call decides, else the default action.</summary>
    [Fact]
    public void A_filter_of_any_actions_decides_on_every_call_as_its_rules_say()
    {
        string[] names = ["read", "write", "open", "close", "mkdir", "rmdir", "mkdirat", "chmod"];
        uint[] numbers = [0, 1, 2, 3, 83, 84, 258, 90];
        string[] actions = [.. SeccompWords.Actions.Where(action => action != "SCMP_ACT_NOTIFY")];
        Gen.Select(Gen.Int[0, actions.Length - 1], Gen.Int[0, actions.Length - 1].Array[names.Length]).Sample((byDefault, chosen) =>
        {
            BpfProgram program = new(SeccompCompiler.Compile(new SeccompSpec(actions[byDefault])
            {
                Syscalls = [.. names.Select((name, i) => new SyscallRule([name], actions[chosen[i]]))],
            }));
            return names.Index().All(
                    call => program.Judge(X64, numbers[call.Index]) == SeccompWords.ActionOf(actions[chosen[call.Index]], null))
                && program.Judge(X64, 39) == SeccompWords.ActionOf(actions[byDefault], null);
        });
    }

    private static BpfProgram Program(SeccompSpec spec) => new(SeccompCompiler.Compile(spec, cacheDirectory: null).Program);

    private static ulong[] At(uint index, ulong value)
    {
        ulong[] arguments = new ulong[6];
        arguments[index] = value;
        return arguments;
    }
}
