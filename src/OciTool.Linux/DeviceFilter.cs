namespace OciTool.Linux;

/// <summary>The eBPF program by which a group of cgroup v2 says which devices may be used.</summary>
/// <remarks><c>BPF_PROG_TYPE_CGROUP_DEVICE</c>, Linux 4.15. It is given to the kernel by <see cref="BpfProgram"/>.</remarks>
public static class DeviceFilter
{
    // the registers: the program's result, its argument, and what it reads from that
    private const int Result = 0;
    private const int Argument = 1;
    private const int Type = 2;
    private const int Access = 3;
    private const int Major = 4;
    private const int Minor = 5;

    // operations (linux/bpf_common.h, linux/bpf.h), with a number as their second operand
    private const byte LoadWord = 0x61;
    private const byte Move = 0xb7;
    private const byte MoveRegister = 0xbf;
    private const byte And = 0x57;
    private const byte ShiftRight = 0x77;
    private const byte JumpIfEqual = 0x15;
    private const byte JumpIfNotEqual = 0x55;
    private const byte Exit = 0x95;

    private const int Block = 1;
    private const int Character = 2;

    /// <summary>Compiles rules: of those that match, the last one counts, for each kind of access alone.</summary>
    /// <param name="rules">The rules, in order; what none of them matches is denied.</param>
    /// <returns>The program's instructions.</returns>
    public static ulong[] Compile(ReadOnlySpan<DeviceFilterRule> rules)
    {
        // struct bpf_cgroup_dev_ctx { u32 access_type (access << 16 | type), major, minor }
        List<ulong> program =
        [
            Instruction(LoadWord, Type, source: Argument, offset: 0),
            Instruction(MoveRegister, Access, source: Type),
            Instruction(And, Type, value: 0xffff),
            Instruction(ShiftRight, Access, value: 16),
            Instruction(LoadWord, Major, source: Argument, offset: 4),
            Instruction(LoadWord, Minor, source: Argument, offset: 8),
        ];

        // From the last rule to the first: a deny of something that is still open ends it; an allow closes what it
        // is about, and ends it when nothing is open any more.
        for (int i = rules.Length - 1; i >= 0; i--)
        {
            DeviceFilterRule rule = rules[i];
            if (rule.Access == DeviceAccess.None || rule.Major > int.MaxValue || rule.Minor > int.MaxValue)
            {
                continue; // matches nothing: a device number has 32 bits in all
            }

            int first = program.Count;
            List<int> jumps = []; // over this rule
            void Require(int register, long value)
            {
                jumps.Add(program.Count);
                program.Add(Instruction(JumpIfNotEqual, register, value: (int)value));
            }

            if (rule.Type != 'a')
            {
                Require(Type, rule.Type == 'b' ? Block : Character);
            }

            if (rule.Major is { } major)
            {
                Require(Major, major);
            }

            if (rule.Minor is { } minor)
            {
                Require(Minor, minor);
            }

            if (rule.Access != DeviceAccess.All)
            {
                if (rule.Allow)
                {
                    program.Add(Instruction(And, Access, value: (int)(DeviceAccess.All & ~rule.Access)));
                    Require(Access, 0);
                }
                else
                {
                    program.Add(Instruction(MoveRegister, Result, source: Access));
                    program.Add(Instruction(And, Result, value: (int)rule.Access));
                    jumps.Add(program.Count);
                    program.Add(Instruction(JumpIfEqual, Result, value: 0));
                }
            }

            program.Add(Instruction(Move, Result, value: rule.Allow ? 1 : 0));
            program.Add(Instruction(Exit));
            foreach (int jump in jumps)
            {
                program[jump] |= (ulong)(ushort)(program.Count - jump - 1) << 16;
            }

            if (jumps.Count == 0 && program.Count == first + 2)
            {
                return [.. program]; // everything: the verifier refuses instructions that are never reached
            }
        }

        program.Add(Instruction(Move, Result, value: 0));
        program.Add(Instruction(Exit));
        return [.. program];
    }

    // struct bpf_insn { u8 code; u8 dst:4, src:4; s16 off; s32 imm }, on processors that store the low byte first
    private static ulong Instruction(byte operation, int destination = 0, int source = 0, short offset = 0, int value = 0) =>
        operation | ((ulong)(uint)(destination | (source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)value << 32);
}
