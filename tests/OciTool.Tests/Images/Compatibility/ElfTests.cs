using OciTool.Images.Compatibility;
using Xunit;

namespace OciTool.Tests.Images.Compatibility;

public sealed class ElfTests
{
    private static ElfBuilder Rich(bool is64 = true, bool isBigEndian = false) => new ElfBuilder { Is64 = is64, IsBigEndian = isBigEndian, Machine = is64 ? (ushort)62 : (ushort)3 }
        .Interpreter("/lib64/ld-linux-x86-64.so.2").AbiTag(3, 2, 0).NeededIsa(3)
        .Needed("libm.so.6", "libc.so.6").SoName("libown.so.1").RunPath("$ORIGIN/../lib").RPath("/opt/lib")
        .VersionNeeds(("libc.so.6", ["GLIBC_2.2.5", "GLIBC_2.34"]), ("libm.so.6", ["GLIBC_2.29"]));

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void All_that_a_loader_needs_is_read_in_either_width_and_byte_order(bool is64, bool isBigEndian)
    {
        MemoryBytes file = new(Rich(is64, isBigEndian).Build());

        ElfFile elf = ElfFile.Read(file);
        ElfDynamic dynamic = ElfDynamic.Read(elf, file);

        Assert.Equal("/lib64/ld-linux-x86-64.so.2", elf.Interpreter);
        Assert.Equal(new KernelVersion(3, 2), elf.MinimumKernel);
        Assert.Equal(3u, elf.NeededIsa);
        Assert.Equal(0x1000u, Assert.Single(elf.Segments).Alignment);
        Assert.Equal(["libm.so.6", "libc.so.6"], dynamic.Needed);
        Assert.Equal(("libown.so.1", "$ORIGIN/../lib", "/opt/lib"), (dynamic.SoName, dynamic.RunPath, dynamic.RPath));
        Assert.Equal(["GLIBC_2.2.5", "GLIBC_2.34"], dynamic.VersionNeeds[0].Versions.Select(version => version.Name));
        Assert.Equal(("libm.so.6", "GLIBC_2.29"), (dynamic.VersionNeeds[1].Library, dynamic.VersionNeeds[1].Versions[0].Name));
    }

    [Theory]
    [InlineData(62, true, false, "amd64")]
    [InlineData(3, false, false, "386")]
    [InlineData(183, true, false, "arm64")]
    [InlineData(40, false, false, "arm")]
    [InlineData(21, true, false, "ppc64le")]
    [InlineData(21, true, true, "ppc64")]
    [InlineData(22, true, true, "s390x")]
    [InlineData(243, true, false, "riscv64")]
    [InlineData(258, true, false, "loong64")]
    [InlineData(9999, true, false, null)]
    public void The_machine_has_the_word_of_image_configurations(int machine, bool is64, bool isBigEndian, string? expected)
    {
        byte[] file = new ElfBuilder { Machine = (ushort)machine, Is64 = is64, IsBigEndian = isBigEndian }.Build();

        Assert.Equal(expected, ElfFile.Read(new MemoryBytes(file)).Architecture);
    }

    [Theory]
    [InlineData(16, 1, "type")]
    [InlineData(54, 32, "program headers")]
    [InlineData(56, 0, "program headers")]
    public void A_header_that_the_kernel_refuses_is_refused_and_the_field_named(int offset, byte value, string field)
    {
        byte[] file = Rich().Build();
        file[offset] = value;

        InvalidElfException e = Assert.Throws<InvalidElfException>(() => ElfFile.Read(new MemoryBytes(file)));

        Assert.Contains(field, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 9)]
    [InlineData(5, 2)]
    [InlineData(5, 0)]
    public void A_wrong_class_or_byte_order_is_seen_and_read_past_as_the_kernel_does(int offset, byte value)
    {
        byte[] file = Rich().Build();
        file[offset] = value;

        ElfFile elf = ElfFile.Read(new MemoryBytes(file));

        Assert.Equal(("amd64", true), (elf.Architecture, elf.IsMislabelled));
        Assert.False(ElfFile.Read(new MemoryBytes(Rich().Build())).IsMislabelled);
    }

    [Fact]
    public void An_interpreter_without_an_end_is_refused()
    {
        byte[] file = Rich().Build();
        int at = file.AsSpan().IndexOf("ld-linux-x86-64.so.2"u8) + "ld-linux-x86-64.so.2".Length;
        file[at] = (byte)'x';

        Assert.Throws<InvalidElfException>(() => ElfFile.Read(new MemoryBytes(file)));
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_is_read_or_refused_and_nothing_else_happens()
    {
        byte[] whole = Rich().Build();
        for (int length = 0; length < whole.Length; length++)
        {
            ReadOrRefuse(whole.AsMemory(0, length));
        }
    }

    [Fact]
    public void A_file_with_any_byte_changed_is_read_or_refused_and_nothing_else_happens()
    {
        byte[] whole = Rich().Build();
        for (int at = 0; at < whole.Length; at++)
        {
            foreach (byte value in (byte[])[0, 1, 0x7f, 0x80, 0xff])
            {
                byte kept = whole[at];
                whole[at] = value;
                ReadOrRefuse(whole);
                whole[at] = kept;
            }
        }
    }

    [Fact]
    public void Versions_that_lead_back_to_themselves_come_to_an_end()
    {
        byte[] file = new ElfBuilder().Needed("liba").VersionNeeds(("liba", ["V1", "V2"]), ("libb", ["V3"])).Build();
        // the second need points back to the first one, by a step that overflows
        int at = file.AsSpan().IndexOf<byte>([1, 0, 2, 0]);
        BitConverter.TryWriteBytes(file.AsSpan(at + 16 + 12), 0u);
        BitConverter.TryWriteBytes(file.AsSpan(at + 12), 0u);
        BitConverter.TryWriteBytes(file.AsSpan(at + 8), 0xfffffff0u);

        ReadOrRefuse(file);
    }

    [Fact]
    public void A_string_table_far_behind_the_end_is_refused()
    {
        MemoryBytes file = new(new ElfBuilder().Needed("liba").Build());
        ElfFile elf = ElfFile.Read(file) with { Segments = [new ElfSegment(long.MaxValue, 0, ulong.MaxValue, ulong.MaxValue, 0, 5)] };

        Assert.Throws<InvalidElfException>(() => ElfDynamic.Read(elf, file));
    }

    [Theory]
    [InlineData("/bin/sh")]
    [InlineData("/bin/true")]
    [InlineData("/usr/bin/env")]
    public void A_program_of_this_machine_is_read(string path)
    {
        MemoryBytes file = new(File.ReadAllBytes(path));

        ElfFile elf = ElfFile.Read(file);
        ElfDynamic dynamic = ElfDynamic.Read(elf, file);

        Assert.Equal(OciTool.Images.Platform.Host.Architecture, elf.Architecture);
        Assert.StartsWith("/lib", elf.Interpreter, StringComparison.Ordinal);
        Assert.Contains("libc.so.6", dynamic.Needed);
        Assert.Contains(dynamic.VersionNeeds, need => need.Library == "libc.so.6" && need.Versions.Any(version => version.Name.StartsWith("GLIBC_", StringComparison.Ordinal)));
        Assert.NotNull(elf.MinimumKernel);
    }

    [Fact]
    public void The_C_library_of_this_machine_is_read_and_known()
    {
        string path = Array.Find(
            ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6"], File.Exists)!;
        MemoryBytes file = new(File.ReadAllBytes(path));

        ElfDynamic dynamic = ElfDynamic.Read(ElfFile.Read(file), file);
        Libc? libc = Libc.Identify(path, file);

        Assert.Equal("libc.so.6", dynamic.SoName);
        Assert.Contains("GLIBC_2.17", dynamic.VersionDefinitions);
        Assert.Equal(LibcFamily.Glibc, libc?.Family);
        Assert.Contains($"GLIBC_{libc!.Version}", dynamic.VersionDefinitions);
    }

    [Theory]
    [InlineData("GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n", "/lib/libc.so.6", "glibc 2.36")]
    [InlineData("nothing", "/lib64/libc-2.17.so", "glibc 2.17")]
    [InlineData("musl libc (x86_64)\nVersion %s\n\01.2.5\0", "/lib/ld-musl-x86_64.so.1", "musl 1.2.5")]
    [InlineData("musl libc\0no number", "/lib/ld-musl-x86_64.so.1", "musl")]
    [InlineData("nothing", "/lib/libm.so.6", null)]
    public void A_C_library_is_told_by_what_it_says_of_itself(string content, string path, string? expected) =>
        Assert.Equal(expected, Libc.Identify(path, new MemoryBytes(System.Text.Encoding.ASCII.GetBytes(new string('x', 65_530) + content)))?.Name);

    private static void ReadOrRefuse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            MemoryBytes file = new(bytes);
            ElfDynamic.Read(ElfFile.Read(file), file);
        }
        catch (InvalidElfException)
        {
        }
    }
}
