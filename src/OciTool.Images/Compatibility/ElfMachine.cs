namespace OciTool.Images.Compatibility;

/// <summary>The numbers of machines, and their words in image configurations.</summary>
/// <remarks>System V ABI, <c>e_machine</c>; the words are GOARCH values.</remarks>
internal static class ElfMachine
{
    public const ushort I386 = 3, Ppc64 = 21, S390 = 22, Arm = 40, X86_64 = 62, AArch64 = 183, RiscV = 243, LoongArch = 258;
    private const ushort Mips = 8;

    /// <summary>The GOARCH value; null for a machine that has none.</summary>
    public static string? ArchitectureOf(ElfFile elf) => (elf.Machine, elf.Is64, elf.IsBigEndian) switch
    {
        (X86_64, true, false) => "amd64",
        (X86_64, false, false) => "amd64p32", // x32
        (I386, false, false) => "386",
        (AArch64, true, false) => "arm64",
        (Arm, false, false) => "arm",
        (Ppc64, true, false) => "ppc64le",
        (Ppc64, true, true) => "ppc64",
        (S390, true, true) => "s390x",
        (RiscV, true, false) => "riscv64",
        (LoongArch, true, false) => "loong64",
        (Mips, true, false) => "mips64le",
        (Mips, false, false) => "mipsle",
        (Mips, true, true) => "mips64",
        (Mips, false, true) => "mips",
        _ => null,
    };

    /// <summary>How the machine is called for people.</summary>
    public static string Describe(ElfFile elf) => elf.Architecture
        ?? $"machine {elf.Machine} ({(elf.Is64 ? 64 : 32)} bits, {(elf.IsBigEndian ? "big" : "little")} endian)";

    /// <summary>What <c>e_flags</c> say of the calling convention; null where there is nothing to say.</summary>
    public static string? Convention(ElfFile elf) => elf.Machine switch
    {
        Arm when (elf.Flags & 0x400) != 0 => "hard float",
        Arm when (elf.Flags & 0x200) != 0 => "soft float",
        Ppc64 => (elf.Flags & 3) switch { 1 => "ELFv1", 2 => "ELFv2", _ => null },
        RiscV => (elf.Flags & 6) switch { 0 => "soft float", 2 => "single float", 4 => "double float", _ => "quad float" },
        _ => null,
    };
}
