using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace OciTool.Images;

/// <summary>The level of this machine's processor, as a platform variant.</summary>
/// <remarks>x86-64 psABI, section "Microarchitecture levels"; arm64 is always <c>v8</c> here.</remarks>
internal static class ProcessorLevel
{
    /// <summary><c>v1</c> to <c>v4</c> for amd64, <c>v8</c> for arm64, null elsewhere.</summary>
    internal static string? OfThisMachine => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => OfX64(),
        Architecture.Arm64 => "v8",
        Architecture.Arm => "v7",
        _ => null,
    };

    // Each level's list is the psABI's, as far as cpuid leaves 1, 7 and 0x80000001 show it; AVX needs the kernel's
    // consent, which OSXSAVE tells. (Avx2.IsSupported is no answer: ahead-of-time code knows its own baseline only.)
    private static string OfX64()
    {
        if (!X86Base.IsSupported)
        {
            return "v1";
        }

        (_, _, int ecx1, _) = X86Base.CpuId(1, 0);
        (int highest, _, _, _) = X86Base.CpuId(0, 0);
        (_, int ebx7, _, _) = highest >= 7 ? X86Base.CpuId(7, 0) : default;
        (_, _, int ecx81, _) = X86Base.CpuId(unchecked((int)0x80000001), 0);

        const int Sse3 = 1 << 0, Ssse3 = 1 << 9, Fma = 1 << 12, Cmpxchg16b = 1 << 13, Sse41 = 1 << 19, Sse42 = 1 << 20,
            Movbe = 1 << 22, Popcnt = 1 << 23, Osxsave = 1 << 27, Avx = 1 << 28, F16c = 1 << 29;
        const int Bmi1 = 1 << 3, Avx2 = 1 << 5, Bmi2 = 1 << 8, Avx512F = 1 << 16, Avx512Dq = 1 << 17,
            Avx512Cd = 1 << 28, Avx512Bw = 1 << 30, Avx512Vl = unchecked((int)(1u << 31));
        const int Lahf = 1 << 0, Lzcnt = 1 << 5;

        const int Level2 = Sse3 | Ssse3 | Cmpxchg16b | Sse41 | Sse42 | Popcnt;
        if ((ecx1 & Level2) != Level2 || (ecx81 & Lahf) == 0)
        {
            return "v1";
        }

        const int Level3 = Fma | Movbe | Osxsave | Avx | F16c;
        const int Level3Extended = Bmi1 | Avx2 | Bmi2;
        if ((ecx1 & Level3) != Level3 || (ebx7 & Level3Extended) != Level3Extended || (ecx81 & Lzcnt) == 0)
        {
            return "v2";
        }

        const int Level4 = Avx512F | Avx512Dq | Avx512Cd | Avx512Bw | Avx512Vl;
        return (ebx7 & Level4) == Level4 ? "v4" : "v3";
    }
}
