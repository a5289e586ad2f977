using System.Text.Json.Nodes;

namespace OciTool.SystemTests.Fixtures;

/// <summary>Images of which some start and some do not, each for one reason; what happens is found out by running them.</summary>
internal static class VerdictImages
{
    private const UnixFileMode Readable = (UnixFileMode)0b110_100_100;
    private const UnixFileMode Everybody = (UnixFileMode)0b111_101_101;
    private const UnixFileMode OwnerOnly = (UnixFileMode)0b111_000_000;
    private const UnixFileMode OwnerAndGroup = (UnixFileMode)0b111_101_000;

    private static readonly Lazy<CompiledPrograms> Compiled = new(CompiledPrograms.Make);

    private static readonly string LongName = new('d', 100);

    /// <summary>The images by name.</summary>
    public static IReadOnlyDictionary<string, Func<BusyboxImages, TestImage>> All { get; } = new Dictionary<string, Func<BusyboxImages, TestImage>>(StringComparer.Ordinal)
    {
        ["name-in-path"] = images => Command(images, ["true"]),
        ["absolute-path"] = images => Command(images, ["/bin/true"]),
        ["shell-command"] = images => Command(images, ["sh", "-c", "exit 0"]),
        ["entrypoint-and-cmd"] = images => images.With(config => (config["Entrypoint"], config["Cmd"]) = (Words("/bin/sh", "-c"), Words("exit 0"))),
        ["absent-name"] = images => Command(images, ["nothere"]),
        ["absent-path"] = images => Command(images, ["/nothere"]),
        ["absent-directory"] = images => Command(images, ["/no/where"]),
        ["file-as-directory"] = images => Command(images, ["/bin/true/true"]),
        ["relative-to-root"] = images => Command(images, ["bin/true"]),
        ["relative-to-workdir"] = images => Command(images, ["./true"], config => config["WorkingDir"] = "/bin"),
        ["not-in-workdir"] = images => Command(images, ["./true"], config => config["WorkingDir"] = "/tmp"),
        ["path-without-it"] = images => Command(images, ["true"], config => config["Env"] = Words("PATH=/opt:/srv")),
        ["path-with-it"] = images => Command(images, ["true"], config => config["Env"] = Words("PATH=/opt:/bin")),
        ["no-path"] = images => Command(images, ["true"], config => config["Env"] = Words("A=B")),
        ["directory"] = images => Command(images, ["/bin"]),
        ["not-executable"] = images => Command(images, ["/etc/not-a-program"]),
        ["fifo"] = images => images.With(new Layer().Fifo("x"), config => config["Cmd"] = Words("/x")),

        ["script"] = images => Script(images, "#!/bin/sh\nexit 0\n"),
        ["script-crlf"] = images => Script(images, "#!/bin/sh\r\nexit 0\r\n"),
        ["script-blanks"] = images => Script(images, "#! \t /bin/sh  \nexit 0\n"),
        ["script-one-line"] = images => Script(images, "#!/bin/sh"),
        ["script-env"] = images => Script(images, "#!/bin/env sh\nexit 0\n"),
        ["script-argument"] = images => Script(images, "#!/bin/sh -e\nexit 0\n"),
        ["script-absent-interpreter"] = images => Script(images, "#!/usr/bin/python3\n"),
        ["script-interpreter-not-executable"] = images => Script(images, "#!/etc/passwd\n"),
        ["script-interpreter-directory"] = images => Script(images, "#!/bin\n"),
        ["script-without-interpreter"] = images => Script(images, "#!\nexit 0\n"),
        ["script-relative-interpreter"] = images => Script(images, "#!bin/sh\nexit 0\n"),
        ["script-not-executable"] = images => Script(images, "#!/bin/sh\n", Readable),
        ["script-of-a-script"] = images => Chain(images, 2),
        ["script-of-five"] = images => Chain(images, 5),
        ["script-of-six"] = images => Chain(images, 6),
        ["script-of-itself"] = images => Script(images, "#!/x\n"),
        ["script-long-interpreter"] = images => LongScript(images, 1),
        ["script-too-long-interpreter"] = images => LongScript(images, 3),
        ["text"] = images => Script(images, "exit 0\n"),
        ["empty"] = images => Script(images, ""),
        ["byte-order-mark"] = images => Script(images, "\ufeff#!/bin/sh\nexit 0\n"),

        ["link-absolute"] = images => Linked(images, "/bin/static"),
        ["link-above-the-root"] = images => Linked(images, "../../../bin/static"),
        ["link-to-nowhere"] = images => Linked(images, "/no/where"),
        ["link-to-itself"] = images => Linked(images, "x"),
        ["link-circle"] = images => images.With(new Layer().Symlink("x", "y").Symlink("y", "x"), config => config["Cmd"] = Words("/x")),
        ["link-through-directories"] = images => images.With(
            new Layer().Program("bin/static", Compiled.Value.Static).Symlink("opt", "bin").Symlink("x", "opt/static"), config => config["Cmd"] = Words("/x")),

        ["cut-in-the-header"] = images => Program(images, Busybox[..20]),
        ["cut-behind-the-header"] = images => Program(images, Busybox[..64]),
        ["cut-in-the-middle"] = images => Program(images, Busybox[..(Busybox.Length / 2)]),
        ["cut-before-the-sections-end"] = images => Program(images, Busybox[..^10]),
        ["other-class"] = images => Program(images, Patched(4, 1)),
        ["no-class"] = images => Program(images, Patched(4, 9)),
        ["other-machine"] = images => Program(images, Patched(18, 183)),
        ["unknown-machine"] = images => Program(images, Patched(19, 0x77)),
        ["object-file"] = images => Program(images, Patched(16, 1)),
        ["odd-program-headers"] = images => Program(images, Patched(54, 55)),
        ["no-program-headers"] = images => Program(images, Patched(56, 0)),
        ["renamed-program"] = images => images.With(
            new Layer().Program("x", Compiled.Value.Static), config => config["Cmd"] = Words("/x")),

        ["user-who-may"] = images => Command(images, ["/bin/true"], config => config["User"] = "1000"),
        ["user-by-name"] = images => Command(images, ["/bin/true"], config => config["User"] = "guest"),
        ["user-who-may-not"] = images => Program(images, Compiled.Value.Static, OwnerOnly, "1000"),
        ["user-of-the-group"] = images => Program(images, Compiled.Value.Static, OwnerAndGroup, "1000:0"),
        ["user-of-another-group"] = images => Program(images, Compiled.Value.Static, OwnerAndGroup, "1000:1000"),
        ["root-who-may"] = images => Program(images, Compiled.Value.Static, OwnerOnly, "0"),
        ["directory-that-is-closed"] = images => images.With(
            new Layer().Directory("closed", OwnerOnly).Program("closed/x", Compiled.Value.Static), config => (config["Cmd"], config["User"]) = (Words("/closed/x"), "1000")),

        ["whiteout"] = images => images.With(new Layer().File("bin/.wh.true", ""), config => config["Cmd"] = Words("/bin/true")),
        ["whiteout-of-busybox"] = images => images.With(new Layer().File("bin/.wh.busybox", ""), config => config["Cmd"] = Words("/bin/true")),
        ["opaque-bin"] = images => images.With(new Layer().Directory("bin").File("bin/.wh..wh..opq", ""), config => config["Cmd"] = Words("/bin/true")),

        ["dynamic"] = images => Dynamic(images, [], CompiledPrograms.CLibrary, CompiledPrograms.Loader),
        ["dynamic-with-libc-where-debian-does-not-look"] = images => images.With(
            new Layer().Directory("lib64").Program("lib64/ld-linux-x86-64.so.2", CompiledPrograms.LoaderBytes)
                .Program("lib64/libc.so.6", File.ReadAllBytes(CompiledPrograms.CLibrary)).Program("x", Compiled.Value.Plain), config => config["Cmd"] = Words("/x")),
        ["dynamic-without-loader"] = images => Dynamic(images, [], CompiledPrograms.CLibrary),
        ["dynamic-without-libc"] = images => Dynamic(images, [], CompiledPrograms.Loader),
        ["dynamic-merged"] = images => images.With(
            CompiledPrograms.AddLibc(new Layer().Directory("usr").Directory("usr/lib64").Symlink("lib64", "usr/lib64"), "usr/lib64", "usr/lib")
                .Program("x", Compiled.Value.Plain), config => config["Cmd"] = Words("/x")),
        ["loader-not-executable"] = images => images.With(
            CompiledPrograms.AddLibc(new Layer().Directory("lib64").Directory("lib"), "lib64", "lib", loaderMode: Readable).Program("x", Compiled.Value.Plain), config => config["Cmd"] = Words("/x")),
        ["loader-of-another-machine"] = images => WithLoader(images, CompiledPrograms.Patch(CompiledPrograms.LoaderBytes, 18, 183)),
        ["loader-is-text"] = images => WithLoader(images, "#!/bin/sh\n"u8.ToArray()),
        ["loader-is-cut"] = images => WithLoader(images, CompiledPrograms.LoaderBytes[..100]),

        ["library-by-runpath"] = images => Library(images, "opt/lib/libown.so", Compiled.Value.Library, Compiled.Value.WithRunPath),
        ["library-absent"] = images => Library(images, "srv/libown.so", Compiled.Value.Library, Compiled.Value.WithRunPath),
        ["library-by-variable"] = images => Library(images, "srv/libown.so", Compiled.Value.Library, Compiled.Value.WithRunPath, "LD_LIBRARY_PATH=/srv"),
        ["library-in-default-directory"] = images => Library(images, "usr/lib/libown.so", Compiled.Value.Library, Compiled.Value.WithRunPath),
        ["library-of-another-machine"] = images => Library(images, "opt/lib/libown.so", CompiledPrograms.Patch(Compiled.Value.Library, 18, 183), Compiled.Value.WithRunPath),
        ["library-is-text"] = images => Library(images, "opt/lib/libown.so", "not a library"u8.ToArray(), Compiled.Value.WithRunPath),
        ["library-is-empty"] = images => Library(images, "opt/lib/libown.so", [], Compiled.Value.WithRunPath),
        ["library-with-an-older-version"] = images => Library(images, "opt/lib/libown.so", Compiled.Value.OlderLibrary, Compiled.Value.WithRunPath),

        ["level-2"] = images => Dynamic(images, Compiled.Value.Level2, CompiledPrograms.CLibrary, CompiledPrograms.Loader),
        ["level-3"] = images => Dynamic(images, Compiled.Value.Level3, CompiledPrograms.CLibrary, CompiledPrograms.Loader),
        ["level-4"] = images => Dynamic(images, Compiled.Value.Level4, CompiledPrograms.CLibrary, CompiledPrograms.Loader),
        ["position-independent-static"] = images => Program(images, Compiled.Value.StaticPie),
        ["label-that-lies"] = images => Command(images, ["/bin/true"]).WithConfiguration(config => config["variant"] = "v1"),
    };

    private static byte[] Busybox => BusyboxImages.Program;

    private static JsonArray Words(params string[] words) => new([.. words.Select(word => (JsonNode)word)]);

    private static TestImage Command(BusyboxImages images, string[] command, Action<JsonObject>? change = null) => images.With(config =>
    {
        config["Cmd"] = Words(command);
        change?.Invoke(config);
    });

    private static TestImage Script(BusyboxImages images, string text, UnixFileMode? mode = null) => images.With(
        mode is { } given ? new Layer().File("x", text, given) : new Layer().Program("x", System.Text.Encoding.UTF8.GetBytes(text)),
        config => config["Cmd"] = Words("/x"));

    private static TestImage Chain(BusyboxImages images, int length)
    {
        Layer layer = new();
        for (int i = 1; i <= length; i++)
        {
            layer.Program(i == 1 ? "x" : $"x{i}", System.Text.Encoding.ASCII.GetBytes(i == length ? "#!/bin/true\n" : $"#!/x{i + 1}\n"));
        }

        return images.With(layer, config => config["Cmd"] = Words("/x"));
    }

    private static TestImage LongScript(BusyboxImages images, int depth)
    {
        Layer layer = new();
        string path = "";
        for (int i = 0; i < depth; i++)
        {
            path += $"{(path.Length == 0 ? "" : "/")}{LongName}";
            layer.Directory(path);
        }

        return images.With(
            layer.Symlink($"{path}/true", "/bin/true").Program("x", System.Text.Encoding.ASCII.GetBytes($"#!/{path}/true\n")), config => config["Cmd"] = Words("/x"));
    }

    private static TestImage Linked(BusyboxImages images, string target) =>
        images.With(new Layer().Program("bin/static", Compiled.Value.Static).Symlink("x", target), config => config["Cmd"] = Words("/x"));

    private static TestImage Program(BusyboxImages images, byte[] program, UnixFileMode? mode = null, string? user = null) => images.With(
        new Layer().Directory("opt").File("opt/busybox", program, mode ?? Everybody), // busybox looks at its own name
        config =>
        {
            config["Cmd"] = Words("/opt/busybox", "true");
            if (user is not null)
            {
                config["User"] = user;
            }
        });

    private static byte[] Patched(int offset, byte value) => CompiledPrograms.Patch(Busybox, offset, value);

    private static TestImage Dynamic(BusyboxImages images, byte[] program, params string[] files)
    {
        Layer layer = new Layer().Directory("lib64").Directory("lib").Directory("lib/x86_64-linux-gnu");
        foreach (string file in files)
        {
            layer.Program(file[1..], File.ReadAllBytes(file));
        }

        return images.With(layer.Program("x", program.Length == 0 ? Compiled.Value.Plain : program), config => config["Cmd"] = Words("/x"));
    }

    private static TestImage WithLoader(BusyboxImages images, byte[] loader) => images.With(
        new Layer().Directory("lib64").Program("lib64/ld-linux-x86-64.so.2", loader).Program("x", Compiled.Value.Plain), config => config["Cmd"] = Words("/x"));

    private static TestImage Library(BusyboxImages images, string path, byte[] library, byte[] program, string? variable = null) => images.With(
        CompiledPrograms.AddLibc(new Layer().Directory("opt").Directory("opt/bin").Directory("opt/lib").Directory("srv").Directory("usr").Directory("usr/lib").Directory("lib64").Directory("lib"), "lib64", "lib")
            .Program(path, library).Program("opt/bin/x", program),
        config =>
        {
            config["Cmd"] = Words("/opt/bin/x");
            if (variable is not null)
            {
                config["Env"] = Words(variable);
            }
        });
}
