using System.Diagnostics;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Programs and libraries of this machine's C library, each odd in one way; made by the C compiler that the build needs anyway.</summary>
internal sealed class CompiledPrograms
{
    public const string Loader = "/lib64/ld-linux-x86-64.so.2";
    public const string CLibrary = "/lib/x86_64-linux-gnu/libc.so.6";

    private CompiledPrograms(string directory)
    {
        File.WriteAllText(Path.Join(directory, "main.c"), "int main(void) { return 0; }\n");
        File.WriteAllText(Path.Join(directory, "own.c"), "int own(void) { return 0; }\n");
        File.WriteAllText(Path.Join(directory, "user.c"), "int own(void);\nint main(void) { return own(); }\n");
        File.WriteAllText(Path.Join(directory, "old.map"), "OWN_1 { global: own; };\n");
        File.WriteAllText(Path.Join(directory, "new.map"), "OWN_2 { global: own; };\n");
        byte[] Compile(string name, params string[] arguments)
        {
            Run(directory, "cc", ["-o", name, .. arguments]);
            return File.ReadAllBytes(Path.Join(directory, name));
        }

        Plain = Compile("plain", "main.c");
        Static = Compile("static", "-static", "main.c");
        StaticPie = Compile("pie", "-static-pie", "main.c");
        Level2 = Compile("level2", "main.c", "-Wl,-z,x86-64-v2");
        Level3 = Compile("level3", "main.c", "-Wl,-z,x86-64-v3");
        Level4 = Compile("level4", "main.c", "-Wl,-z,x86-64-v4");
        OlderLibrary = Compile("old.so", "-shared", "-fPIC", "own.c", "-Wl,-soname,libown.so", "-Wl,--version-script,old.map");
        Library = Compile("libown.so", "-shared", "-fPIC", "own.c", "-Wl,-soname,libown.so", "-Wl,--version-script,new.map");
        WithRunPath = Compile("user", "user.c", "-L.", "-lown", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib");
    }

    public byte[] Plain { get; }

    public byte[] Static { get; }

    public byte[] StaticPie { get; }

    public byte[] Level2 { get; }

    public byte[] Level3 { get; }

    public byte[] Level4 { get; }

    public byte[] Library { get; }

    public byte[] OlderLibrary { get; }

    public byte[] WithRunPath { get; }

    public static byte[] LoaderBytes => File.ReadAllBytes(Loader);

    public static CompiledPrograms Make()
    {
        Need.Programs("cc");
        Need.That(File.Exists(Loader) && File.Exists(CLibrary), "needs Debian's C library on x86-64");
        using TemporaryDirectory directory = new();
        return new CompiledPrograms(directory.Path);
    }

    public static byte[] Patch(byte[] program, int offset, byte value)
    {
        byte[] patched = [.. program];
        patched[offset] = value;
        return patched;
    }

    /// <summary>Adds the loader and the C library of this machine.</summary>
    public static Layer AddLibc(Layer layer, string loaders, string libraries, UnixFileMode loaderMode = (UnixFileMode)0b111_101_101) => layer
        .File($"{loaders}/ld-linux-x86-64.so.2", LoaderBytes, loaderMode)
        .Directory($"{libraries}/x86_64-linux-gnu").Program($"{libraries}/x86_64-linux-gnu/libc.so.6", File.ReadAllBytes(CLibrary));

    private static void Run(string directory, string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardError = true, UseShellExecute = false })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Need.That(process.ExitCode == 0, $"needs a C compiler for x86-64: {program} {string.Join(' ', arguments)}: {error}");
    }
}
